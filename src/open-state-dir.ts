import { chmod, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Settings } from './config/settings.ts';

/** Makes the folder of what the daemon keeps, for its owner alone. @returns its absolute path */
export async function openStateDir({ stateDir }: Settings): Promise<string> {
  const path = resolve(stateDir);
  await mkdir(path, { recursive: true, mode: 0o700 });
  await chmod(path, 0o700);
  return path;
}
