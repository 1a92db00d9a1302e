import { chmod, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/settings.ts';
import { messageOf } from '../lib/coded-error.ts';

/**
 * Makes the folder of what the daemon keeps, for its owner alone. @returns its absolute path
 *
 * @throws ConfigError when it cannot be made
 */
export async function openStateDir({ stateDir }: Pick<Settings, 'stateDir'>): Promise<string> {
  const path = resolve(stateDir);
  try {
    await mkdir(path, { recursive: true, mode: 0o700 });
    await chmod(path, 0o700);
    return path;
  } catch (error) {
    const message = `cannot be made a folder of the daemon's own (${messageOf(error)}); name one that it may write to`;
    throw new ConfigError('The settings', [{ field: 'STATE_DIR', message }], { cause: error });
  }
}
