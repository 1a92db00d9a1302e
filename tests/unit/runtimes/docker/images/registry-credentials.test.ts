import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { RegistryCredentials } from '../../../../../src/runtimes/docker/images/registry-credentials.ts';

let folder = '';
const path = process.env['PATH'] ?? '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rv-credentials-'));
});

afterEach(async () => {
  process.env['PATH'] = path;
  await rm(folder, { recursive: true });
});

async function find(config: unknown, registry: string): Promise<unknown> {
  await writeFile(join(folder, 'config.json'), typeof config === 'string' ? config : JSON.stringify(config));
  return new RegistryCredentials(folder).find(registry);
}

async function helper(script: string): Promise<void> {
  const program = join(folder, 'docker-credential-test');
  await writeFile(program, `#!/bin/sh\n${script}\n`);
  await chmod(program, 0o755);
  process.env['PATH'] = `${folder}${delimiter}${path}`;
}

describe('credentials for a registry', () => {
  it('are those that docker login wrote down', async () => {
    const auth = Buffer.from('me:pass:word').toString('base64');
    const expected = { serveraddress: 'ghcr.io', username: 'me', password: 'pass:word' };
    expect(await find({ auths: { 'ghcr.io': { auth } } }, 'ghcr.io')).toEqual(expected);
    expect(await find({ auths: { 'https://ghcr.io': { auth } } }, 'ghcr.io')).toEqual(expected);
    expect(await new RegistryCredentials(folder).all()).toEqual({
      'https://ghcr.io': { username: 'me', password: 'pass:word' },
    });
  });

  it('come from a helper, which is asked for the registry', async () => {
    await helper(`read registry; echo "{\\"Username\\":\\"u\\",\\"Secret\\":\\"for-$registry\\"}"`);
    expect(await find({ credHelpers: { 'a.test': 'test' } }, 'a.test')).toMatchObject({
      username: 'u',
      password: 'for-a.test',
    });
    expect(await find({ credsStore: 'test' }, 'b.test')).toMatchObject({ username: 'u', password: 'for-b.test' });
  });

  it('may be a token', async () => {
    await helper(`echo '{"Username":"<token>","Secret":"t1"}'`);
    expect(await find({ credsStore: 'test' }, 'a.test')).toEqual({ serveraddress: 'a.test', identitytoken: 't1' });
  });

  it.each([
    ['a helper that fails', { credsStore: 'test' }, 'exit 1'],
    ['a helper that talks nonsense', { credsStore: 'test' }, 'echo hello'],
    ['a helper that is not there', { credsStore: 'absent' }, 'exit 0'],
    ['a helper with a path in its name', { credsStore: '../test' }, 'exit 0'],
    ['a broken file', '{', 'exit 0'],
    ['an empty one', {}, 'exit 0'],
  ])('are none with %s', async (_case, config, script) => {
    await helper(script);
    expect(await find(config, 'a.test')).toBeUndefined();
  });
});
