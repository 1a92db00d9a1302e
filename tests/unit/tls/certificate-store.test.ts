import { mkdir, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { CertificateStore } from '../../../src/tls/certificate-store.ts';
import { TestAuthority } from '../../support/test-certificate.ts';
import { until } from '../../support/until.ts';

let authority: TestAuthority;
let certsDir: string;
let store: CertificateStore;
let lines: string[];

beforeAll(async () => {
  authority = await TestAuthority.make();
});

beforeEach(async () => {
  certsDir = await mkdtemp(join(tmpdir(), 'reveille-store-'));
  lines = [];
  const log = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) });
  store = new CertificateStore({ certsDir, clock: new SystemClock(), log, settleMs: 20 });
});

afterEach(async () => {
  await store.close();
  await rm(certsDir, { recursive: true, force: true });
});

describe('CertificateStore', () => {
  it('chooses by exact name, then by wildcard, then the default', async () => {
    await authority.write(certsDir, ['d.test', '*.d.test']);
    await authority.write(join(certsDir, 'app.d.test'), ['app.d.test']);
    await authority.write(join(certsDir, '_.shop.test'), ['*.shop.test']);
    await authority.write(join(certsDir, '*.star.test'), ['*.star.test']);
    await store.start();

    const byDefault = store.contextFor(undefined);
    expect(store.contextFor('d.test')).toBe(byDefault);
    expect(store.contextFor('app.d.test')).not.toBe(byDefault);
    expect(store.contextFor('APP.d.test.')).toBe(store.contextFor('app.d.test'));
    expect(store.contextFor('a.shop.test')).not.toBe(byDefault);
    expect(store.contextFor('a.shop.test')).toBe(store.contextFor('b.shop.test'));
    expect(store.contextFor('a.b.shop.test')).toBe(byDefault);
    expect(store.contextFor('a.star.test')).not.toBe(byDefault);
    for (const odd of ['', '.', '..', '*', '\u0000', 'a'.repeat(10_000), '__proto__'])
      expect(store.contextFor(odd)).toBe(byDefault);
  });

  it('knows which hosts need another certificate', async () => {
    await authority.write(certsDir, ['d.test', '*.d.test']);
    await authority.write(join(certsDir, 'app.d.test'), ['app.d.test']);
    await store.start();

    expect(store.sameCertificate('app.d.test', 'app.d.test')).toBe(true);
    expect(store.sameCertificate('a.d.test', 'b.d.test')).toBe(true);
    expect(store.sameCertificate('a.d.test', 'app.d.test')).toBe(false);
    expect(store.sameCertificate(undefined, 'app.d.test')).toBe(false);
    expect(store.sameCertificate('app.d.test', 'b.d.test')).toBe(false);
    // Nobody has a certificate for it: it is unknown, not misdirected.
    expect(store.sameCertificate('app.d.test', 'elsewhere.test')).toBe(true);
  });

  it.each([
    ['missing', 'certificate_missing', () => Promise.resolve()],
    ['garbage', 'certificate_invalid', () => writeFile(join(certsDir, 'fullchain.pem'), 'garbage')],
    ['huge', 'certificate_invalid', () => truncate(join(certsDir, 'fullchain.pem'), 2_000_000)],
    ['expired', 'certificate_invalid', () => authority.write(certsDir, ['d.test'], Date.now() - 500 * 86_400_000)],
    [
      'of another key',
      'certificate_invalid',
      async () => writeFile(join(certsDir, 'key.pem'), (await authority.issue(['d.test'])).key),
    ],
    [
      'locked',
      'certificate_invalid',
      () => writeFile(join(certsDir, 'key.pem'), '-----BEGIN ENCRYPTED PRIVATE KEY-----\n'),
    ],
  ])('does not start with a default certificate that is %s', async (what, code, spoil) => {
    if (what !== 'missing') await authority.write(certsDir, ['d.test']);
    await spoil();
    await expect(store.start()).rejects.toMatchObject({
      code,
      message: expect.stringContaining('fullchain.pem') as unknown,
    });
  });

  it('leaves out a bad certificate of one name and says so', async () => {
    await authority.write(certsDir, ['*.d.test']);
    await mkdir(join(certsDir, 'app.d.test'));
    await writeFile(join(certsDir, 'app.d.test', 'fullchain.pem'), 'garbage');
    await store.start();
    expect(store.contextFor('app.d.test')).toBe(store.contextFor(undefined));
    expect(lines.join('')).toContain('app.d.test');
  });

  it('takes over replaced, added and removed files without a restart', async () => {
    await authority.write(certsDir, ['*.d.test']);
    await store.start();
    const changed = vi.fn();
    store.onChange(changed);
    const before = store.contextFor(undefined);

    await authority.write(certsDir, ['*.d.test', 'more.test']);
    await until(() => store.contextFor(undefined) !== before);
    expect(changed).toHaveBeenCalled();

    await authority.write(join(certsDir, 'app.d.test'), ['app.d.test']);
    await until(() => store.contextFor('app.d.test') !== store.contextFor(undefined));

    await rm(join(certsDir, 'app.d.test'), { recursive: true });
    await until(() => store.contextFor('app.d.test') === store.contextFor(undefined));
  });

  it('refuses a bad replacement and keeps the old one', async () => {
    await authority.write(certsDir, ['*.d.test']);
    await store.start();
    const before = store.contextFor(undefined);
    await writeFile(join(certsDir, 'key.pem'), (await authority.issue(['*.d.test'])).key);
    await until(() => lines.some((line) => line.includes('the old one is kept')));
    expect(store.contextFor(undefined)).toBe(before);
    expect(lines.join('')).not.toContain('PRIVATE');
  });
});
