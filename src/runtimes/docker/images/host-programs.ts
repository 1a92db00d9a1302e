import { execFile } from 'node:child_process';
import { access, constants, realpath } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** An executable of this host that goes into an image. */
export interface HostProgram {
  /** Its path in the image, without the leading slash. */
  readonly name: string;
  /** Its path here. */
  readonly source: string;
  /** Symbolic links to it in the image. */
  readonly links: readonly string[];
}

/** What a RUN line of a small image needs, taken from the host where there is no busybox. */
const TOOLS = [
  ...'env mkdir rmdir rm cp mv ln ls cat chmod chown sleep id touch stat readlink realpath mktemp tee'.split(' '),
  ...'grep sed head tail tr wc sort uniq cut date uname dirname basename find xargs tar gzip'.split(' '),
];

async function which(program: string, folders: readonly string[]): Promise<string | undefined> {
  for (const folder of folders) {
    const path = join(folder, program);
    if (
      await access(path, constants.X_OK).then(
        () => true,
        () => false,
      )
    )
      return realpath(path);
  }
  return undefined;
}

async function busybox(source: string): Promise<HostProgram[]> {
  const { stdout } = await run(source, ['--list'], { timeout: 10_000 });
  const applets = stdout.split('\n').filter((applet) => /^[\w[.-]+$/.test(applet) && applet !== 'busybox');
  const links = applets.map((applet) => `bin/${applet}`);
  return [{ name: 'bin/busybox', source, links: [...links, 'usr/bin/env'] }];
}

async function hostShell(folders: readonly string[]): Promise<HostProgram[]> {
  const programs: HostProgram[] = [];
  for (const tool of ['sh', ...TOOLS]) {
    const source = await which(tool, folders);
    if (tool === 'sh' && !source) throw new Error(`this host has no shell (sh) in ${folders.join(', ')}`);
    if (source) programs.push({ name: `bin/${tool}`, source, links: tool === 'env' ? ['usr/bin/env'] : [] });
  }
  return programs;
}

function defaultFolders(): string[] {
  return [...(process.env['PATH'] ?? '').split(delimiter), '/usr/bin', '/bin'].filter((folder) => folder !== '');
}

/**
 * Node itself, and a shell with the plain tools: busybox if the host has it (Debian: busybox-static), else its own.
 * @param folders where programs are looked for: those of PATH, and the usual ones
 */
export async function hostPrograms(folders: readonly string[] = defaultFolders()): Promise<HostProgram[]> {
  const node: HostProgram = { name: 'usr/local/bin/node', source: await realpath(process.execPath), links: [] };
  const box = await which('busybox', folders);
  return [node, ...(box ? await busybox(box) : await hostShell(folders))];
}
