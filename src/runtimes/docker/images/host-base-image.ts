import { createReadStream } from 'node:fs';
import { realpath, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack, type Pack } from 'tar-stream';
import type { Engine } from '../engine/engine.ts';
import { engineStream } from '../engine/engine-stream.ts';
import { hostPrograms, type HostProgram } from './host-programs.ts';
import { errorIn, type EngineMessage } from './image-progress.ts';
import { parseImageReference } from './image-reference.ts';
import { jsonLines } from '../engine/json-lines.ts';
import { librariesNeededBy, nameServicesBeside } from './shared-libraries.ts';

const NODE_UID = 1000;
const IMPORT_TIMEOUT_MS = 300_000;
/** Where the loader looks by itself; libraries from elsewhere are announced to it. */
const LOADER_FOLDERS = /^\/(usr\/)?lib(64|32)?(\/[\w-]+-linux-\w+)?$/;
const CERTIFICATES = [
  '/etc/ssl/certs/ca-certificates.crt',
  '/etc/pki/tls/certs/ca-bundle.crt',
  '/etc/ssl/ca-bundle.pem',
  '/etc/ssl/cert.pem',
];

const TEXTS: Readonly<Record<string, string>> = {
  'etc/passwd': `root:x:0:0:root:/root:/bin/sh\nnode:x:${NODE_UID}:${NODE_UID}::/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n`,
  'etc/group': `root:x:0:\nnode:x:${NODE_UID}:\nnogroup:x:65534:\n`,
  // Without it glibc asks DNS before /etc/hosts, where Docker writes the names of an instance.
  'etc/nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
};

export interface HostBaseImage {
  /** What was put in, in one line for people. */
  readonly summary: string;
}

async function addFile(tar: Pack, name: string, source: string, mode: number): Promise<void> {
  const path = await realpath(source);
  const { size } = await stat(path);
  await pipeline(createReadStream(path, { end: size - 1 }), tar.entry({ name: name.replace(/^\/+/, ''), size, mode }));
}

function addFolders(tar: Pack): void {
  const owned = { uid: NODE_UID, gid: NODE_UID, type: 'directory' } as const;
  tar.entry({ name: 'tmp', mode: 0o1777, type: 'directory' });
  tar.entry({ name: 'root', mode: 0o700, type: 'directory' });
  tar.entry({ name: 'home/node', mode: 0o755, ...owned });
  tar.entry({ name: 'app', mode: 0o755, ...owned });
  for (const [name, text] of Object.entries(TEXTS)) tar.entry({ name, mode: 0o644 }, text);
}

async function firstThatExists(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) if ((await stat(path).catch(() => undefined))?.isFile()) return path;
  return undefined;
}

async function fill(tar: Pack, programs: readonly HostProgram[], libraries: readonly string[]): Promise<void> {
  addFolders(tar);
  for (const { name, source, links } of programs) {
    await addFile(tar, name, source, 0o755);
    for (const link of links) tar.entry({ name: link, type: 'symlink', linkname: `/${name}`, mode: 0o777 });
  }
  for (const library of libraries) await addFile(tar, library, library, 0o755);
  const certificates = await firstThatExists(CERTIFICATES);
  if (certificates) await addFile(tar, 'etc/ssl/certs/ca-certificates.crt', certificates, 0o644);
  tar.finalize();
}

async function importTar(engine: Engine, tar: Pack, image: string, libraries: readonly string[]): Promise<void> {
  const { name: repo, tag } = parseImageReference(image);
  const folders = [...new Set(libraries.map((path) => dirname(path)))].filter((folder) => !LOADER_FOLDERS.test(folder));
  const changes = [
    'ENV PATH=/usr/local/bin:/usr/bin:/bin',
    `ENV NODE_VERSION=${process.versions.node}`,
    ...(folders.length > 0 ? [`ENV LD_LIBRARY_PATH=${folders.join(':')}`] : []),
    'WORKDIR /app',
    'USER node',
    'CMD ["node"]',
    'LABEL dev.reveille.base=host',
  ];
  const options = { repo, tag, changes, message: `Node ${process.versions.node} of the host` };
  const stream = await engine.call(
    (abortSignal) => engine.docker.importImage(tar as unknown as NodeJS.ReadableStream, { ...options, abortSignal }),
    IMPORT_TIMEOUT_MS,
  );
  for await (const message of jsonLines(engineStream(stream))) {
    const error = errorIn(message as EngineMessage);
    if (error !== undefined) throw new Error(error);
  }
}

/**
 * Makes the base image without a registry: the Node executable of this host with its libraries, a shell, the user node.
 * The same promises as Dockerfile.base: node on PATH, /bin/sh, user node with uid 1000, work directory /app.
 * Only where the engine runs the programs of this host: Linux on the same architecture.
 * @param folders where the programs are looked for, instead of in those of PATH
 */
export async function assembleHostBaseImage(
  engine: Engine,
  image: string,
  folders?: readonly string[],
): Promise<HostBaseImage> {
  const programs = await hostPrograms(folders);
  const needed = (await Promise.all(programs.map(({ source }) => librariesNeededBy(source)))).flat();
  const libraries = [...new Set([...needed, ...(await nameServicesBeside(needed))])].sort();
  const tar = pack();
  const filling = fill(tar, programs, libraries).catch((error: unknown) => {
    tar.destroy(error as Error);
    throw error;
  });
  // Both are awaited below; this one may fail first.
  filling.catch(() => undefined);
  try {
    await importTar(engine, tar, image, libraries);
    await filling;
  } finally {
    tar.destroy();
  }
  const shell = programs.some(({ name }) => name === 'bin/busybox') ? 'busybox' : `the host's sh`;
  return { summary: `Node ${process.versions.node} of this host, ${libraries.length} libraries, ${shell}` };
}
