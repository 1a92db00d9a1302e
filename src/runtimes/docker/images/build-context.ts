import { createHash, type Hash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readlink } from 'node:fs/promises';
import { join, posix, relative, sep } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { pack } from 'tar-fs';
import type { BuildSource, ServiceSpec } from '../../../config/service-spec.ts';
import { hashOf } from '../../config-hash.ts';
import { listContext, type ContextFile } from './context-files.ts';

/** A build context at one moment: what an image of it is called by, and its bytes. */
export interface BuildContext {
  /** 64 hex digits over paths, modes, contents, Dockerfile, arguments and target; bind-mounted paths do not count. */
  readonly hash: string;
  /** A tar stream of all of it, bind-mounted paths too. */
  tar(): NodeJS.ReadableStream;
}

async function hashOfFile(path: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** Host paths of bind mounts inside the context, relative to it. What is mounted over needs no new image when it changes. */
function mountedPaths(spec: ServiceSpec, context: string): string[] {
  const binds = spec.volumes.filter((volume) => volume.kind === 'bind');
  const paths = binds.map(({ source }) => relative(context, source).split(sep).join('/'));
  return paths.filter((path) => path !== '' && path !== '..' && !path.startsWith('../../'));
}

function tarOf(context: string, files: readonly ContextFile[]): NodeJS.ReadableStream {
  const wanted = new Set<string>();
  for (const { path } of files) {
    // With its parents, which the walk of the packer has to go through.
    for (let end = path.length; end > 0; end = path.lastIndexOf('/', end - 1)) wanted.add(path.slice(0, end));
  }
  const options = {
    ignore: (name: string) => {
      const path = relative(context, name).split(sep).join('/');
      return path !== '' && !wanted.has(path);
    },
    // As the docker CLI sends it: files belong to root, modes are the ones on the disk.
    map: <Header extends { uid: number; gid: number }>(header: Header): Header => ({ ...header, uid: 0, gid: 0 }),
    strict: false,
    umask: 0,
  };
  return pack(context, options) as unknown as NodeJS.ReadableStream;
}

/** Reads build contexts; remembers the hash of each file by its times and size, so that a wake reads only what changed. */
export class BuildContextReader {
  /** By context folder, then by path: replaced as a whole at each reading, so that it holds no more than there are files. */
  readonly #known = new Map<string, ReadonlyMap<string, string>>();

  /** Rejects when the context or its Dockerfile cannot be read. */
  async read(spec: ServiceSpec, { context, dockerfile, target, args }: BuildSource): Promise<BuildContext> {
    const files = await listContext(context, dockerfile);
    const mounted = mountedPaths(spec, context);
    const recipe = posix.normalize(dockerfile);
    // What builds the image counts wherever it lies: a mount shows in the container, and not to the build.
    const counted = files.filter(
      ({ path }) => path === recipe || !mounted.some((mount) => path === mount || path.startsWith(`${mount}/`)),
    );
    const hash = createHash('sha256').update(hashOf({ dockerfile, target, args }));
    await this.#hashAll(context, `${spec.name}\0${context}`, counted, hash);
    return { hash: hash.digest('hex'), tar: () => tarOf(context, files) };
  }

  async #hashAll(context: string, memoryKey: string, files: readonly ContextFile[], hash: Hash): Promise<void> {
    const before = this.#known.get(memoryKey);
    const now = new Map<string, string>();
    for (const file of files) {
      const stamp = `${file.path}\0${file.stamp}`;
      const content = before?.get(stamp) ?? (await this.#contentOf(join(context, file.path), file));
      now.set(stamp, content);
      hash.update(`${file.kind}\0${file.path}\0${file.mode}\0${content}\n`);
    }
    this.#known.set(memoryKey, now);
  }

  async #contentOf(path: string, { kind }: ContextFile): Promise<string> {
    if (kind === 'directory') return '';
    return kind === 'symlink' ? readlink(path) : hashOfFile(path);
  }
}
