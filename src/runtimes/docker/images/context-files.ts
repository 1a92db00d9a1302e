import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import dockerignore, { type Ignore } from '@balena/dockerignore';

/** The package is CommonJS with a default export of its own. */
const ignore = dockerignore.default;

export interface ContextFile {
  /** Relative to the context, with forward slashes. */
  readonly path: string;
  readonly kind: 'file' | 'directory' | 'symlink';
  readonly mode: number;
  readonly size: number;
  /** Changes whenever the file does: size, times and inode. */
  readonly stamp: string;
}

/** How many stat calls are under way at once: enough to be quick, few enough for the thread pool that others use too. */
const PARALLEL = 32;

async function readOptional(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

interface IgnoreRules {
  readonly rules: Ignore;
  /** The lines that bring something back. */
  readonly exceptions: readonly string[];
}

/** `<dockerfile>.dockerignore` goes before `.dockerignore`, as with the docker CLI. */
async function readIgnore(context: string, dockerfile: string): Promise<IgnoreRules | undefined> {
  const own = await readOptional(join(context, `${dockerfile}.dockerignore`));
  const text = own ?? (await readOptional(join(context, '.dockerignore')));
  if (text === undefined) return undefined;
  // The engine reads these two whatever the list says.
  const lines = [...text.replace(/^\ufeff/, '').split(/\r?\n/), `!${dockerfile}`, '!.dockerignore'];
  const exceptions = lines
    .filter((line) => line.trim().startsWith('!'))
    .map((line) => line.trim().replace(/^!\s*\/?/, ''));
  return { rules: ignore().add(lines), exceptions };
}

async function stat(context: string, path: string): Promise<ContextFile | undefined> {
  const found = await lstat(join(context, path)).catch(() => undefined);
  // Gone since the directory was read, or a socket, a pipe, a device: nothing that an image can hold.
  const kind = found?.isFile()
    ? 'file'
    : found?.isDirectory()
      ? 'directory'
      : found?.isSymbolicLink()
        ? 'symlink'
        : undefined;
  if (!found || !kind) return undefined;
  const stamp = `${found.size}:${found.mtimeMs}:${found.ctimeMs}:${found.ino}`;
  return { path, kind, mode: found.mode & 0o7777, size: kind === 'file' ? found.size : 0, stamp };
}

async function readDirectory(context: string, directory: string): Promise<ContextFile[]> {
  const names = await readdir(join(context, directory));
  const files: ContextFile[] = [];
  for (let from = 0; from < names.length; from += PARALLEL) {
    const paths = names.slice(from, from + PARALLEL).map((name) => (directory === '' ? name : `${directory}/${name}`));
    for (const file of await Promise.all(paths.map((path) => stat(context, path)))) if (file) files.push(file);
  }
  return files;
}

/** Whether something below an ignored directory may be brought back; the others are not even read. */
function mayHoldExceptions({ exceptions }: IgnoreRules, directory: string): boolean {
  return exceptions.some((path) => path.startsWith(`${directory}/`) || path === directory || /[*?[]/.test(path));
}

/**
 * Everything of a build context that .dockerignore leaves in, sorted by path. Directories are listed only when they are not ignored themselves.
 * Rejects when the context or the Dockerfile is not there.
 */
export async function listContext(context: string, dockerfile: string): Promise<ContextFile[]> {
  await lstat(join(context, dockerfile));
  const ignored = await readIgnore(context, dockerfile);
  const files: ContextFile[] = [];
  const directories = [''];
  for (let directory = directories.pop(); directory !== undefined; directory = directories.pop()) {
    for (const file of await readDirectory(context, directory)) {
      const left = !(ignored?.rules.ignores(file.path) ?? false);
      if (left) files.push(file);
      if (file.kind === 'directory' && (left || (ignored && mayHoldExceptions(ignored, file.path))))
        directories.push(file.path);
    }
  }
  return files.sort((left, right) => (left.path < right.path ? -1 : 1));
}
