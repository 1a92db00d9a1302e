import { chmod, lstat, mkdir, unlink } from 'node:fs/promises';
import { connect, type Server } from 'node:net';
import { dirname } from 'node:path';
import { CodedError } from './coded-error.ts';

/** The smallest limit of the systems that we run on (macOS: 104 with the NUL at the end). */
const MAX_PATH_BYTES = 103;
const PROBE_MS = 1_000;

/**
 * Makes a server listen on a Unix socket that only its owner can use. What a killed daemon left behind is taken away;
 * a socket on which somebody answers is not.
 *
 * @throws CodedError `daemon_running`, `socket_path_taken`, `socket_path_too_long` or `listen_failed`
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH_BYTES) {
    const message = `${path} is too long for a Unix socket (${MAX_PATH_BYTES} bytes); set STATE_DIR to a shorter path.`;
    throw new CodedError('socket_path_too_long', message);
  }
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  try {
    await listen(server, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EADDRINUSE') throw failed(path, error);
    await removeStale(path);
    await listen(server, path).catch((again: unknown) => {
      throw failed(path, again);
    });
  }
  await chmod(path, 0o600);
}

/** The file is made during the call of `listen`, so that nobody else's files see the umask. */
function listen(server: Server, path: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    const umask = process.umask(0o177);
    try {
      server.listen({ path }, () => {
        server.off('error', reject);
        resolve();
      });
    } finally {
      process.umask(umask);
    }
  });
}

async function removeStale(path: string): Promise<void> {
  const found = await lstat(path).catch(() => undefined);
  if (found === undefined) return;
  if (!found.isSocket()) {
    throw new CodedError('socket_path_taken', `${path} is in the way and is no socket: move it, or set STATE_DIR.`);
  }
  if (await answers(path)) {
    const message = `Another daemon answers at ${path}: stop it first, or set STATE_DIR for a second one.`;
    throw new CodedError('daemon_running', message);
  }
  // Another daemon may have come to the same conclusion and be listening by now.
  const now = await lstat(path).catch(() => undefined);
  if (now?.ino === found.ino) await unlink(path);
}

/** Whether anybody accepts; a busy daemon that is slow to do so counts as one. */
function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    const settle = (answer: boolean): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.setTimeout(PROBE_MS, () => settle(true));
    socket.once('connect', () => settle(true));
    socket.on('error', ({ code }: NodeJS.ErrnoException) => settle(code !== 'ECONNREFUSED' && code !== 'ENOENT'));
  });
}

function failed(path: string, error: unknown): CodedError {
  const { message } = error as Error;
  return new CodedError('listen_failed', `The control socket ${path} cannot be made: ${message}`, { cause: error });
}
