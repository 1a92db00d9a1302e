import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeEach, describe, expect, it } from 'vitest';
import { ConfigError, type ConfigProblem } from '../../../src/config/config-error.ts';
import { loadManifest, type LoadContext } from '../../../src/config/load-manifest.ts';
import { settingsEnvironment } from '../../../src/config/settings/settings-environment.ts';

const manifestModule = fileURLToPath(new URL('../../../src/config/manifest.ts', import.meta.url));

let folder: string;

function write(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function context(changes: Partial<LoadContext> = {}): LoadContext {
  return { domain: 'example.test', defaultPort: 3000, env: settingsEnvironment({}), ...changes };
}

async function problemsOf(path: string, changes?: Partial<LoadContext>): Promise<readonly ConfigProblem[]> {
  const error: unknown = await loadManifest(path, context(changes)).catch((thrown: unknown) => thrown);
  if (!(error instanceof ConfigError)) throw new Error('The manifest was not refused with a ConfigError.');
  return error.problems;
}

describe('loading a manifest', () => {
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'reveille-manifest-'));
  });

  it('runs TypeScript that imports defineManifest, and gives it the environment', async () => {
    const path = write(
      'services-manifest.ts',
      `import { defineManifest } from ${JSON.stringify(manifestModule)};
       import { image } from './image.ts';
       export default defineManifest(({ env }) => ({
         services: { backend: { routes: [env.BACKEND_SUBDOMAIN], image, port: env.BACKEND_PORT } },
       }));`,
    );
    const imported = write('image.ts', `export const image: string = 'backend:1';`);
    const { manifest, files } = await loadManifest(path, context());
    expect(manifest.get('backend')).toMatchObject({
      routes: [{ host: 'server.example.test', path: '/', port: 7070 }],
      source: { image: 'backend:1' },
    });
    expect(files).toEqual([path, manifestModule, imported]);
  });

  it.each([
    ['a promise that fails', `export default Promise.reject(new Error('no vault'));`],
    ['a getter that throws', `export default { get services() { throw new Error('no vault'); } };`],
  ])('names the file when its export is %s', async (_what, text) => {
    const path = write('services-manifest.ts', text);
    const [problem] = await problemsOf(path);
    expect(problem?.field).toContain(path);
    expect(problem?.message).toBe('no vault');
  });

  it('loads the example manifest of the project', async () => {
    const path = fileURLToPath(new URL('../../../services-manifest.ts', import.meta.url));
    const { manifest } = await loadManifest(path, context());
    expect([...manifest.keys()]).toContain('backend');
  });

  it.each([
    ['object.ts', `export default { services: { a: { image: 'x' as string } } };`],
    ['async.ts', `export default async () => ({ services: { a: { image: 'x' } } });`],
    ['await.ts', `const image = await Promise.resolve('x'); export default { services: { a: { image } } };`],
    ['module.mjs', `export default { services: { a: { image: 'x' } } };`],
    ['script.js', `export default { services: { a: { image: 'x' } } };`],
    ['common.cjs', `module.exports = { services: { a: { image: 'x' } } };`],
    ['data.json', `{ "services": { "a": { "image": "x" } } }`],
  ])('takes %s', async (name, text) => {
    const { manifest } = await loadManifest(write(name, text), context());
    expect([...manifest.keys()]).toEqual(['a']);
  });

  it.each([
    ['manifest.ts', 'part.ts', (image: string) => `export const image = '${image}';`],
    ['manifest.ts', 'part.json', (image: string) => `{ "image": "${image}" }`],
  ])('sees an edit of %s and of %s that it imports', async (name, part, textOf) => {
    write(part, textOf('first'));
    const path = write(name, `import { image } from './${part}'; export default { services: { a: { image } } };`);
    expect((await loadManifest(path, context())).manifest.get('a')?.source).toMatchObject({ image: 'first' });
    write(part, textOf('second'));
    expect((await loadManifest(path, context())).manifest.get('a')?.source).toMatchObject({ image: 'second' });
    write(name, `export default { services: { b: { image: 'third' } } };`);
    expect([...(await loadManifest(path, context())).manifest.keys()]).toEqual(['b']);
  });

  it('reads env files, which env overrides and which are watched', async () => {
    const first = write('first.env', 'A=1\nB=1\nC=1');
    const second = write('second.env', 'B=2\nC=2');
    const path = write(
      'm.ts',
      `export default { services: { a: { image: 'x', envFile: ['first.env', './second.env'], env: { C: 3 } } } };`,
    );
    const { manifest, files } = await loadManifest(path, context());
    expect(manifest.get('a')?.env).toEqual({ A: '1', B: '2', C: '3' });
    expect(files).toEqual([path, first, second]);
  });

  it('names file, line and column of a syntax error, also in a file that is imported', async () => {
    const broken = write('broken.ts', `export default {\n  services: {,\n};`);
    expect(await problemsOf(broken)).toEqual([
      { field: `${broken}:2:13`, message: expect.stringContaining('Unexpected token') as string },
    ]);
    const files: string[] = [];
    const importing = write('importing.ts', `import m from './broken.ts';\nexport default m;`);
    const problems = await problemsOf(importing, { onFile: (file) => files.push(file) });
    expect(problems[0]?.field).toBe(`${broken}:2:13`);
    expect(files).toEqual([importing, broken]);
  });

  it('names line and column of broken JSON', async () => {
    const path = write('m.json', `{\n  "services": {,}\n}`);
    expect((await problemsOf(path))[0]?.field).toBe(`${path}:2:16`);
  });

  it('says what a manifest threw, and where', async () => {
    const path = write('m.ts', `\nthrow new Error('no secret today');`);
    expect(await problemsOf(path)).toEqual([
      { field: expect.stringMatching(/m\.ts:2:\d+$/) as string, message: 'no secret today' },
    ]);
    const late = write('f.ts', `export default () => {\n  throw new Error('later');\n};`);
    expect((await problemsOf(late))[0]).toMatchObject({ message: 'later' });
    const text = write('t.ts', `throw 'just text';`);
    expect((await problemsOf(text))[0]).toEqual({ field: text, message: 'just text' });
  });

  it.each([`export const services = {};`, ``, `const services = {};`])(
    'asks for a default export: %j',
    async (text) => {
      expect((await problemsOf(write('m.ts', text)))[0]?.message).toContain('has no default export');
    },
  );

  it('says that the file or an import is missing', async () => {
    const absent = join(folder, 'absent.ts');
    expect(await problemsOf(absent)).toEqual([
      { field: absent, message: expect.stringContaining('cannot be read') as string },
    ]);
    const path = write('m.ts', `import './nowhere.ts';\nexport default {};`);
    expect((await problemsOf(path))[0]?.message).toContain('./nowhere.ts');
  });

  it('does not wait for ever', async () => {
    const hanging = write('m.ts', `export default () => new Promise(() => {});`);
    expect((await problemsOf(hanging, { timeoutMs: 20 }))[0]?.message).toContain('did not finish within 20 ms');
    const waiting = write('w.ts', `await new Promise(() => {});\nexport default {};`);
    expect((await problemsOf(waiting, { timeoutMs: 20 }))[0]?.message).toContain('did not finish within 20 ms');
  });

  it('cannot change the environment of the daemon through env', async () => {
    const path = write('m.ts', `export default ({ env }) => { env.DOMAIN = 'evil'; return { services: {} }; };`);
    expect((await problemsOf(path))[0]?.message).toContain('read only');
  });
});
