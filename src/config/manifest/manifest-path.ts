import { isAbsolute, normalize, relative, resolve, sep } from 'node:path';
import { Unacceptable } from '../parsed-type.ts';

/**
 * The absolute form of a path in the manifest. A relative one may not climb out of the manifest's folder:
 * whoever means another place of the host says so with an absolute path.
 */
export function resolveManifestPath(baseDir: string, path: string): string {
  if (path === '' || path.includes('\0')) throw new Unacceptable('must be a path');
  const absolute = resolve(baseDir, path);
  if (!isAbsolute(path) && leaves(relative(baseDir, absolute))) {
    throw new Unacceptable(`leads out of the manifest's folder; write the absolute path (${absolute}) if it is meant`);
  }
  return absolute;
}

/** A path below the folder, kept relative to it. */
export function insideFolder(path: unknown): string {
  if (typeof path !== 'string' || path === '' || path.includes('\0')) throw new Unacceptable('must be a path');
  if (isAbsolute(path) || leaves(normalize(path))) {
    throw new Unacceptable('must be a path inside the build context');
  }
  return path;
}

function leaves(fromFolder: string): boolean {
  return fromFolder === '..' || fromFolder.startsWith(`..${sep}`);
}
