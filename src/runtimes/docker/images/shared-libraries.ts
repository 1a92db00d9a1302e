import { execFile } from 'node:child_process';
import { access } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** The files that `ldd` names, the dynamic loader among them; the kernel's own (linux-vdso) is no file. */
export function librariesOf(lddOutput: string): string[] {
  const paths = lddOutput.split('\n').flatMap((line) => {
    const [, name = '', , path = ''] = /^\s*(\S+)(\s+=>\s+(\/\S+))?\s+\(0x[0-9a-f]+\)/.exec(line) ?? [];
    if (path === '') return name.startsWith('/') ? [name] : [];
    // With musl a library goes by another name than its file.
    return name.startsWith('/') || basename(path) === name ? [path] : [path, join(dirname(path), name)];
  });
  return [...new Set(paths)];
}

/** What an executable of this host needs to run; nothing for a static one. Rejects when a library is missing. */
export async function librariesNeededBy(executable: string): Promise<string[]> {
  const { stdout } = await run('ldd', [executable], { timeout: 10_000, env: { ...process.env, LC_ALL: 'C' } }).catch(
    (error: unknown) => {
      const { stderr = '', stdout: text = '' } = error as { stderr?: string; stdout?: string };
      if (/not a (valid )?dynamic/i.test(stderr + text)) return { stdout: '' };
      throw error;
    },
  );
  const missing = /^\s*(\S+) => not found/m.exec(stdout)?.[1];
  if (missing !== undefined) throw new Error(`${executable} needs ${missing}, which this host does not have`);
  return librariesOf(stdout);
}

/** What glibc before 2.34 opens by name when a program looks up a host; `ldd` does not know of it. */
const NAME_SERVICES = ['libnss_files.so.2', 'libnss_dns.so.2', 'libresolv.so.2'];

/** The libraries by which names of hosts are looked up, from the folder of the C library; none with musl. */
export async function nameServicesBeside(libraries: readonly string[]): Promise<string[]> {
  const folder = libraries.filter((path) => basename(path) === 'libc.so.6').map((path) => dirname(path))[0];
  if (folder === undefined) return [];
  const found = NAME_SERVICES.map((name) => join(folder, name)).map((path) =>
    access(path).then(
      () => [path],
      () => [],
    ),
  );
  return (await Promise.all(found)).flat();
}
