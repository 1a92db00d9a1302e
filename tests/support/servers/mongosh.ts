import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

const VERSION = '2.12.0';
const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'reveille-tests');
const FETCH_TIMEOUT_MS = 280_000;

/**
 * MongoDB's shell with all that it needs, as a tar of node_modules: fetched once from the registry, kept in the user's cache.
 * @throws Error when the registry does not give it
 */
export async function mongoshArchive(): Promise<string> {
  const kept = join(CACHE, `mongosh-${VERSION}.tar`);
  if (await exists(kept)) return kept;
  await mkdir(CACHE, { recursive: true });
  const folder = await mkdtemp(join(CACHE, 'fetching-'));
  try {
    const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--no-save'];
    await run('npm', ['install', '--prefix', folder, ...flags, `mongosh@${VERSION}`], { timeout: FETCH_TIMEOUT_MS });
    await run('tar', ['-C', folder, '-cf', join(folder, 'mongosh.tar'), 'node_modules']);
    await rename(join(folder, 'mongosh.tar'), kept);
    return kept;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
