import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { delimiter, resolve } from 'node:path';

/** Where a command is, as a shell would find it; undefined when it is nowhere or may not be run. */
export async function findCommand(name: string, cwd: string, path: string): Promise<string | undefined> {
  const folders = name.includes('/') ? [''] : path.split(delimiter);
  for (const folder of folders) {
    const file = resolve(cwd, folder, name);
    if (await isExecutable(file)) return file;
  }
  return undefined;
}

async function isExecutable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return (await stat(file)).isFile();
  } catch {
    return false;
  }
}
