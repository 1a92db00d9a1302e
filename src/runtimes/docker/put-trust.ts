import { dirname } from 'node:path';
import { pack } from 'tar-stream';
import { TRUST_PATH } from './create-options.ts';
import type { Engine } from './engine.ts';

/** Puts a CA certificate into a container that was made but not started; over the API, so that a remote engine can have it too. */
export async function putTrust(engine: Engine, id: string, pem: string): Promise<void> {
  const tar = pack();
  tar.entry({ name: dirname(TRUST_PATH).slice(1), type: 'directory', mode: 0o755 });
  tar.entry({ name: TRUST_PATH.slice(1), mode: 0o644 }, pem);
  tar.finalize();
  const archive = tar as unknown as NodeJS.ReadableStream;
  await engine.call((abortSignal) => engine.docker.getContainer(id).putArchive(archive, { path: '/', abortSignal }));
}
