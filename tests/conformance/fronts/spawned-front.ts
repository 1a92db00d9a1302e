import type { ChildProcess } from 'node:child_process';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort } from '../../../src/lib/free-port.ts';
import type { Certificate } from '../rig/certificate.ts';
import type { OpenFront } from '../rig/front.ts';

export interface SpawnPlan {
  readonly command: string;
  readonly args: readonly string[];
}

const START_LIMIT_MS = 30_000;
const KILL_AFTER_MS = 2_000;

/**
 * Starts a proxy with a folder of its own, which holds the certificate (fullchain.pem, key.pem, both.pem) and what
 * `prepare` writes there; open once its port takes connections.
 */
export async function spawnFront(
  certificate: Certificate,
  prepare: (folder: string, port: number) => Promise<SpawnPlan>,
): Promise<OpenFront> {
  const folder = await mkdtemp(join(tmpdir(), 'conformance-'));
  await writeFile(join(folder, 'fullchain.pem'), certificate.cert);
  await writeFile(join(folder, 'key.pem'), certificate.key);
  await writeFile(join(folder, 'both.pem'), `${certificate.cert}\n${certificate.key}`);
  const port = await freePort();
  const { command, args } = await prepare(folder, port);
  const child = spawn(command, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr = `${stderr}${chunk.toString()}`.slice(-2_000)));
  child.on('error', (error) => (stderr += error.message));
  const close = async (): Promise<void> => {
    await stop(child);
    await rm(folder, { recursive: true, force: true });
  };
  if (!(await listens(port, child))) {
    await close();
    throw new Error(`${command} did not start: ${stderr}`);
  }
  return { port, ended: () => ending(child, stderr), close };
}

/** What a command prints about its version; undefined when it is not there. */
export function commandVersion(command: string, args: readonly string[], pattern: RegExp): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, (_error, stdout, stderr) => resolve(pattern.exec(`${stdout}${stderr}`)?.[1]));
  });
}

function ending({ exitCode, signalCode }: ChildProcess, stderr: string): string | undefined {
  if (exitCode === null && signalCode === null) return undefined;
  const error = /^\w*Error.*$/m.exec(stderr)?.[0];
  return error ?? `exit ${String(exitCode ?? signalCode)}`;
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
  const exited = once(child, 'exit');
  child.kill('SIGTERM');
  const cut = setTimeout(() => child.kill('SIGKILL'), KILL_AFTER_MS);
  await exited;
  clearTimeout(cut);
}

async function listens(port: number, child: ChildProcess): Promise<boolean> {
  const deadline = performance.now() + START_LIMIT_MS;
  while (performance.now() < deadline && child.exitCode === null && child.pid !== undefined) {
    if (await connects(port)) return true;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  return false;
}

function connects(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  return new Promise((resolve) => {
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
  }).then((connected) => {
    socket.destroy();
    return connected === true;
  });
}
