import { lstat, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { listenOnSocket } from '../../../src/lib/listen-on-socket.ts';

let folder: string;
let path: string;
const servers: Server[] = [];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'reveille-socket-'));
  path = join(folder, 'state', 'control.sock');
});
afterEach(async () => {
  for (const server of servers.splice(0)) server.close();
  await rm(folder, { recursive: true, force: true });
});

function newServer(): Server {
  const server = createServer((socket) => socket.end());
  servers.push(server);
  return server;
}

/** What a killed daemon leaves: the file of a socket on which nobody listens. */
async function leaveStale(): Promise<void> {
  const server = newServer();
  const elsewhere = join(folder, 'other.sock');
  await listenOnSocket(server, elsewhere);
  await listenOnSocket(newServer(), path);
  await rename(elsewhere, path);
  await new Promise((resolve) => server.close(resolve));
}

describe('listenOnSocket', () => {
  it('makes the folder and the socket for their owner alone, and leaves the umask as it was', async () => {
    await writeFile(join(folder, 'before'), '');
    await listenOnSocket(newServer(), path);
    expect((await lstat(path)).mode & 0o777).toBe(0o600);
    expect((await lstat(join(folder, 'state'))).mode & 0o777).toBe(0o700);
    await writeFile(join(folder, 'after'), '');
    expect((await lstat(join(folder, 'after'))).mode).toBe((await lstat(join(folder, 'before'))).mode);
  });

  it('takes the place of a socket on which nobody answers', async () => {
    await leaveStale();
    const server = newServer();
    await listenOnSocket(server, path);
    expect(server.listening).toBe(true);
  });

  it('leaves a socket alone on which somebody answers', async () => {
    const first = newServer();
    await listenOnSocket(first, path);
    const { ino } = await lstat(path);
    await expect(listenOnSocket(newServer(), path)).rejects.toMatchObject({ code: 'daemon_running' });
    expect((await lstat(path)).ino).toBe(ino);
  });

  it('leaves a file alone that is no socket', async () => {
    path = join(folder, 'control.sock');
    await writeFile(path, 'mine');
    await expect(listenOnSocket(newServer(), path)).rejects.toMatchObject({ code: 'socket_path_taken' });
    expect((await lstat(path)).size).toBe(4);
  });

  it('says what to do about a path that is too long', async () => {
    const long = join(folder, 'x'.repeat(120));
    await expect(listenOnSocket(newServer(), long)).rejects.toMatchObject({
      code: 'socket_path_too_long',
      message: expect.stringContaining('STATE_DIR') as string,
    });
  });
});
