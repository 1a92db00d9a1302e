import { chmod, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { keptSecret } from '../../../src/lib/secret-file.ts';

describe('keptSecret', () => {
  let folder: string;
  let path: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'reveille-secret-'));
    path = join(folder, 'below', 'token');
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  async function modeOf(file: string): Promise<number> {
    return (await stat(file)).mode & 0o777;
  }

  async function write(text: string, mode = 0o600): Promise<void> {
    await mkdir(join(folder, 'below'), { recursive: true });
    await writeFile(path, text);
    await chmod(path, mode);
  }

  it('makes a secret of so many bytes in a file for its owner alone', async () => {
    const secret = await keptSecret(path, 32);
    expect(secret).toMatch(/^[0-9a-f]{64}$/);
    expect(await readFile(path, 'utf8')).toBe(`${secret}\n`);
    expect(await modeOf(path)).toBe(0o600);
    expect(await readdir(join(folder, 'below'))).toEqual(['token']);
  });

  it('keeps it', async () => {
    expect(await keptSecret(path, 16)).toBe(await keptSecret(path, 16));
  });

  it('is the same for all who make it at the same time', async () => {
    const secrets = await Promise.all(Array.from({ length: 20 }, () => keptSecret(path, 16)));
    expect(new Set(secrets).size).toBe(1);
    expect(await readdir(join(folder, 'below'))).toEqual(['token']);
  });

  it('makes another one each time that there is none', async () => {
    const first = await keptSecret(path, 16);
    await rm(path);
    expect(await keptSecret(path, 16)).not.toBe(first);
  });

  it('keeps what the operator wrote, and takes it away from the others', async () => {
    await write('  my-own-secret\n\n', 0o644);
    expect(await keptSecret(path, 16)).toBe('my-own-secret');
    expect(await modeOf(path)).toBe(0o600);
    expect(await readFile(path, 'utf8')).toBe('  my-own-secret\n\n');
  });

  it('replaces an empty file, for its owner alone', async () => {
    await write('\n', 0o644);
    expect(await keptSecret(path, 16)).toMatch(/^[0-9a-f]{32}$/);
    expect(await modeOf(path)).toBe(0o600);
  });

  it('does not replace what it cannot read', async () => {
    await mkdir(path, { recursive: true });
    await expect(keptSecret(path, 16)).rejects.toMatchObject({ code: 'EISDIR' });
  });
});
