import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** A folder that may hold a certificate, and a text that changes whenever one of its files does. */
export interface CertificateFolder {
  /** The name it is for, `*.` in front for one label; '' for the default certificate. */
  readonly name: string;
  readonly path: string;
  /** Undefined when both files are missing. */
  readonly stamp: string | undefined;
}

const HOST_NAME = /^(\*\.)?[a-z0-9_-]+(\.[a-z0-9_-]+)*$/;

/** The certificate folder itself, then one folder per name in it; `_.x` stands for `*.x` where a star is a nuisance. */
export async function listCertificateFolders(certsDir: string): Promise<CertificateFolder[]> {
  const folders = [{ name: '', path: certsDir, stamp: await stampOf(certsDir) }];
  for (const entry of await entriesOf(certsDir)) {
    const name = entry.toLowerCase().replace(/^_\./, '*.');
    if (!HOST_NAME.test(name)) continue;
    const path = join(certsDir, entry);
    const stamp = await stampOf(path);
    if (stamp !== undefined) folders.push({ name, path, stamp });
  }
  return folders;
}

/** Names only: whether one is a folder, or a link to one, shows when its files are looked for. */
async function entriesOf(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch {
    // Without the folder there is no certificate, which is said where one is needed.
    return [];
  }
}

async function stampOf(folder: string): Promise<string | undefined> {
  const stamps = await Promise.all(['fullchain.pem', 'key.pem'].map((file) => fileStamp(join(folder, file))));
  return stamps.every((stamp) => stamp === '-') ? undefined : stamps.join(' ');
}

async function fileStamp(path: string): Promise<string> {
  try {
    const { ino, size, mtimeMs, ctimeMs } = await stat(path);
    return `${ino}/${size}/${mtimeMs}/${ctimeMs}`;
  } catch {
    return '-';
  }
}
