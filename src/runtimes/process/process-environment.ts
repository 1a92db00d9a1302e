import { delimiter, dirname } from 'node:path';

/** What a program needs to know of this machine. Nothing else is handed on: the daemon's environment holds its secrets. */
const INHERITED = ['PATH', 'HOME', 'USER', 'LOGNAME', 'SHELL', 'LANG', 'LC_ALL', 'LC_CTYPE', 'TZ', 'TMPDIR'];

export interface EnvironmentSources {
  readonly daemon: NodeJS.ProcessEnv;
  /** What every service gets, such as the CA to trust. */
  readonly common: Readonly<Record<string, string>>;
  readonly service: Readonly<Record<string, string>>;
  readonly port: number;
}

/** The environment of a service: later sources win, and `PORT` is always ours. */
export function processEnvironment({ daemon, common, service, port }: EnvironmentSources): Record<string, string> {
  const inherited: Record<string, string> = {};
  for (const name of INHERITED) {
    const value = daemon[name];
    if (value !== undefined) inherited[name] = value;
  }
  // A service started with `node` runs at least under the Node that runs us.
  const path = [inherited['PATH'], dirname(process.execPath)].filter(Boolean).join(delimiter);
  return { ...inherited, PATH: path, HOST: '127.0.0.1', ...common, ...service, PORT: String(port) };
}
