import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

export interface AppProcess {
  readonly port: number;
  readonly origin: string;
  readonly pid: number;
  output(): string;
  /** Sends the signal and resolves with how the process ended. */
  end(signal?: NodeJS.Signals): Promise<{ code: number | null; tookMs: number }>;
}

/** Runs a service of the example workspace as the process runtime would, on a port that the system chooses. */
export async function runApp(name: string, env: Record<string, string> = {}): Promise<AppProcess> {
  const cwd = fileURLToPath(new URL(`../../../apps/${name}`, import.meta.url));
  const child = spawn(process.execPath, ['server.js'], {
    cwd,
    env: { PATH: process.env['PATH'] ?? '', PORT: '0', REVEILLE_INSTANCE: `${name}-1`, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const port = await listeningPort(child);
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  return {
    port,
    origin: `http://127.0.0.1:${port}`,
    pid: child.pid ?? 0,
    output: () => output,
    end: (signal = 'SIGTERM') => end(child, signal),
  };
}

async function listeningPort(child: ChildProcess): Promise<number> {
  let text = '';
  return new Promise((resolve, reject) => {
    const read = (chunk: Buffer): void => {
      text += chunk.toString();
      const found = /listens on port (\d+)/.exec(text);
      if (found) resolve(Number(found[1]));
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('exit', (code) =>
      reject(new Error(`The service ended with ${String(code)} before it listened:\n${text}`)),
    );
    child.once('error', reject);
  });
}

async function end(child: ChildProcess, signal: NodeJS.Signals): Promise<{ code: number | null; tookMs: number }> {
  const begun = performance.now();
  if (child.exitCode === null && child.signalCode === null) {
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
  }
  return { code: child.exitCode, tookMs: performance.now() - begun };
}
