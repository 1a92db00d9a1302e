import { chmod, mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { extract } from 'tar-stream';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildSource, ServiceSpec } from '../../../../../src/config/service-spec.ts';
import { BuildContextReader } from '../../../../../src/runtimes/docker/images/build-context.ts';
import { serviceSpec } from '../../../../support/samples/service-spec.ts';

let context = '';

beforeEach(async () => {
  context = await mkdtemp(join(tmpdir(), 'rv-context-'));
  await write('Dockerfile', 'FROM scratch');
  await write('src/a.js', 'a');
});

afterEach(() => rm(context, { recursive: true }));

async function write(path: string, text: string): Promise<void> {
  await mkdir(dirname(join(context, path)), { recursive: true });
  await writeFile(join(context, path), text);
}

function read(changes: Partial<BuildSource> = {}, spec: Partial<ServiceSpec> = {}, reader = new BuildContextReader()) {
  const source: BuildSource = { kind: 'build', context, dockerfile: 'Dockerfile', args: {}, ...changes };
  return reader.read(serviceSpec({ ...spec, source }), source);
}

async function hash(changes: Partial<BuildSource> = {}, spec: Partial<ServiceSpec> = {}): Promise<string> {
  return (await read(changes, spec)).hash;
}

async function names(changes: Partial<BuildSource> = {}, spec: Partial<ServiceSpec> = {}): Promise<string[]> {
  const unpack = extract();
  Readable.from((await read(changes, spec)).tar() as unknown as AsyncIterable<Buffer>).pipe(unpack);
  const found: string[] = [];
  for await (const entry of unpack) {
    if (entry.header.type !== 'directory') found.push(entry.header.name);
    entry.resume();
  }
  return found.sort();
}

describe('the hash of a build context', () => {
  it('is the same for the same files', async () => {
    const before = await hash();
    await write('src/a.js', 'a');
    expect(await hash()).toBe(before);
  });

  it.each<[string, () => Promise<unknown>]>([
    ['a changed file', () => write('src/a.js', 'b')],
    ['a new file', () => write('src/b.js', '')],
    ['a removed file', () => rm(join(context, 'src/a.js'))],
    ['another mode', () => chmod(join(context, 'src/a.js'), 0o755)],
    ['another Dockerfile', () => write('Dockerfile', 'FROM other')],
    ['a link', () => symlink('a.js', join(context, 'src/link'))],
    ['a new list of what is ignored', () => write('.dockerignore', 'src')],
  ])('changes with %s', async (_case, change) => {
    const reader = new BuildContextReader();
    const before = await read({}, {}, reader);
    await change();
    expect((await read({}, {}, reader)).hash).not.toBe(before.hash);
  });

  it('changes with arguments and target, not with the order of arguments', async () => {
    const before = await hash({ args: { A: '1', B: '2' } });
    expect(await hash({ args: { B: '2', A: '1' } })).toBe(before);
    expect(await hash({ args: { A: '1', B: '3' } })).not.toBe(before);
    expect(await hash({ args: { A: '1', B: '2' }, target: 'x' })).not.toBe(before);
  });

  it('does not change with what is mounted over, which is in the image all the same', async () => {
    const volumes = [{ kind: 'bind' as const, source: join(context, 'src'), target: '/app/src', readOnly: true }];
    const before = await hash({}, { volumes });
    await write('src/a.js', 'edited');
    await write('src/new.js', '');
    expect(await hash({}, { volumes })).toBe(before);
    expect(await names({}, { volumes })).toEqual(['Dockerfile', 'src/a.js', 'src/new.js']);
    await write('other.js', '');
    expect(await hash({}, { volumes })).not.toBe(before);
  });

  it.each(['src/Dockerfile', './src/Dockerfile'])(
    'changes with the Dockerfile %s, also where it is mounted over',
    async (dockerfile) => {
      const volumes = [{ kind: 'bind' as const, source: join(context, 'src'), target: '/app/src', readOnly: true }];
      await write('src/Dockerfile', 'FROM scratch');
      const before = await hash({ dockerfile }, { volumes });
      await write('src/Dockerfile', 'FROM scratch\nUSER 1000');
      expect(await hash({ dockerfile }, { volumes })).not.toBe(before);
    },
  );

  it('cannot be had without a Dockerfile', async () => {
    await expect(hash({ dockerfile: 'absent/Dockerfile' })).rejects.toThrow('ENOENT');
  });
});

describe('.dockerignore', () => {
  it.each<[string, string[]]>([
    ['node_modules\n*.log', ['.dockerignore', 'Dockerfile', 'src/a.js', 'src/b.log']],
    ['**/*.log\nnode_modules', ['.dockerignore', 'Dockerfile', 'src/a.js']],
    ['*\n!src/a.js', ['.dockerignore', 'Dockerfile', 'src/a.js']],
    ['# nothing', ['.dockerignore', 'Dockerfile', 'node_modules/x/index.js', 'src/a.js', 'src/b.log', 'top.log']],
  ])('%j leaves %j', async (rules, left) => {
    await write('node_modules/x/index.js', '');
    await write('src/b.log', '');
    await write('top.log', '');
    await write('.dockerignore', rules);
    expect(await names()).toEqual(left);
  });

  it('of the Dockerfile goes before that of the context', async () => {
    await write('web/Dockerfile', 'FROM scratch');
    await write('.dockerignore', '*');
    await write('web/Dockerfile.dockerignore', 'src');
    expect(await names({ dockerfile: 'web/Dockerfile' })).toEqual([
      '.dockerignore',
      'Dockerfile',
      'web/Dockerfile',
      'web/Dockerfile.dockerignore',
    ]);
  });
});

it('reads a context of thousands of files without stopping the event loop', async () => {
  await Promise.all(
    Array.from({ length: 3000 }, (_none, index) => write(`many/${index % 30}/${index}.txt`, String(index))),
  );
  let turns = 0;
  const turn = (): void => {
    turns += 1;
    turning = setImmediate(turn);
  };
  let turning = setImmediate(turn);
  const { hash } = await read();
  clearImmediate(turning);
  expect(hash).toMatch(/^[0-9a-f]{64}$/);
  // One for every ten files at least: others have their turn between them.
  expect(turns).toBeGreaterThan(300);
});
