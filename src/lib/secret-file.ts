import { randomBytes, randomUUID } from 'node:crypto';
import { chmod, link, readFile, rename, rm } from 'node:fs/promises';
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
  return makeOnce(path, randomBytes(bytes).toString('hex'));
}

/** Several processes may find none at the same time: the first one's is everybody's. */
async function makeOnce(path: string, secret: string): Promise<string> {
  const mine = `${path}.${randomUUID()}`;
  await replaceFile(mine, `${secret}\n`, 0o600);
  try {
    await link(mine, path);
    return secret;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const theirs = (await readFile(path, 'utf8')).trim();
    if (theirs !== '') return theirs;
    // An empty file is nobody's secret.
    await rename(mine, path);
    return secret;
  } finally {
    await rm(mine, { force: true });
  }
}
