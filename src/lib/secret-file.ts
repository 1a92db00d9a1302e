import { randomBytes } from 'node:crypto';
import { chmod, readFile } from 'node:fs/promises';
import { replaceFile } from './replace-file.ts';

/** A secret that is made once and then kept, in a file for its owner alone (mode 0600). @returns hexadecimal digits */
export async function keptSecret(path: string, bytes: number): Promise<string> {
  try {
    const secret = (await readFile(path, 'utf8')).trim();
    if (secret !== '') {
      await chmod(path, 0o600);
      return secret;
    }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
  }
  const secret = randomBytes(bytes).toString('hex');
  await replaceFile(path, `${secret}\n`, 0o600);
  return secret;
}
