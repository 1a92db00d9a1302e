import { homedir, platform } from 'node:os';
import { join } from 'node:path';

/** Where mkcert keeps its authority, by the same rules that it follows itself (`mkcert -CAROOT` prints the same). */
export function mkcertRoot(
  env: NodeJS.ProcessEnv = process.env,
  os: NodeJS.Platform = platform(),
  home = homedir(),
): string | undefined {
  if (env['CAROOT'] !== undefined && env['CAROOT'] !== '') return env['CAROOT'];
  if (os === 'win32') return env['LOCALAPPDATA'] === undefined ? undefined : join(env['LOCALAPPDATA'], 'mkcert');
  if (env['XDG_DATA_HOME'] !== undefined && env['XDG_DATA_HOME'] !== '') return join(env['XDG_DATA_HOME'], 'mkcert');
  if (home === '') return undefined;
  return os === 'darwin'
    ? join(home, 'Library', 'Application Support', 'mkcert')
    : join(home, '.local', 'share', 'mkcert');
}
