import { dirname } from 'node:path';
import { pack } from 'tar-stream';
import type { Engine } from '../engine/engine.ts';
import type { UserIds } from './user-ids.ts';

/** A file of ours in a container. */
export interface ContainerFile {
  /** Absolute. */
  readonly path: string;
  readonly mode: number;
  readonly content: string;
  /** [root] */
  readonly owner?: UserIds | undefined;
}

/** Puts files into a container that was made but not started; over the API, so that a remote engine can have them too. */
export async function putFiles(engine: Engine, id: string, files: readonly ContainerFile[]): Promise<void> {
  if (files.length === 0) return;
  const tar = pack();
  for (const folder of new Set(files.map(({ path }) => dirname(path)))) {
    tar.entry({ name: folder.slice(1), type: 'directory', mode: 0o755 });
  }
  for (const { path, mode, content, owner } of files) tar.entry({ name: path.slice(1), mode, ...owner }, content);
  tar.finalize();
  const archive = tar as unknown as NodeJS.ReadableStream;
  await engine.call((abortSignal) => engine.docker.getContainer(id).putArchive(archive, { path: '/', abortSignal }));
}
