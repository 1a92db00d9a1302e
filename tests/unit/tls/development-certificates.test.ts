import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmod, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/lib/clock.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { makeAuthority } from '../../../src/tls/certificate-maker.ts';
import { DevelopmentCertificates } from '../../../src/tls/development-certificates.ts';

const log = pino({ level: 'silent' });
const wanted = { domain: 'alkimia.localhost', hosts: ['app.alkimia.localhost', 'shop.example', '*.preview.example'] };

let root: string;
let certsDir: string;
let stateDir: string;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'reveille-certs-'));
  certsDir = join(root, 'certs');
  stateDir = join(root, 'state');
});

afterEach(() => rm(root, { recursive: true, force: true }));

function development(options: { clock?: Clock; mkcertRoot?: string } = {}): DevelopmentCertificates {
  const { clock = new SystemClock(), mkcertRoot } = options;
  return new DevelopmentCertificates({ certsDir, stateDir, mkcertRoot, clock, log });
}

function inDays(days: number): Clock {
  const system = new SystemClock();
  return {
    now: () => system.now(),
    epochMs: () => system.epochMs() + days * 86_400_000,
    after: (delayMs, action) => system.after(delayMs, action),
  };
}

const certificate = async (): Promise<X509Certificate> =>
  new X509Certificate(await readFile(join(certsDir, 'fullchain.pem')));

describe('DevelopmentCertificates', () => {
  it('makes an authority and a certificate for every name that leads here', async () => {
    const origin = await development().ensure({ ...wanted, gateway: '172.18.0.1' });

    expect(origin).toMatchObject({
      owner: 'reveille',
      made: true,
      ca: 'own',
      caPath: join(stateDir, 'ca', 'rootCA.pem'),
    });
    const leaf = await certificate();
    for (const name of ['alkimia.localhost', 'x.alkimia.localhost', 'shop.example', 'a.preview.example', 'localhost']) {
      expect(leaf.checkHost(name), name).toBeDefined();
    }
    for (const address of ['127.0.0.1', '::1', '172.18.0.1']) expect(leaf.checkIP(address), address).toBe(address);
    expect(leaf.checkHost('other.example')).toBeUndefined();
    expect(leaf.subjectAltName).not.toContain('app.alkimia.localhost');
    expect(leaf.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect((Date.parse(leaf.validTo) - Date.parse(leaf.validFrom)) / 86_400_000).toBeLessThanOrEqual(397);
  });

  it('makes what OpenSSL verifies as a server certificate', async () => {
    await development().ensure(wanted);
    const args = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslserver',
      '-CAfile',
      join(stateDir, 'ca/rootCA.pem'),
      join(certsDir, 'fullchain.pem'),
    ];
    expect(execFileSync('openssl', args).toString()).toContain('OK');
  });

  it('lets nobody else read the keys', async () => {
    await development().ensure(wanted);
    for (const path of [join(stateDir, 'ca/rootCA-key.pem'), join(certsDir, 'key.pem')]) {
      expect(((await stat(path)).mode & 0o777).toString(8), path).toBe('600');
    }
  });

  it('leaves a good certificate alone', async () => {
    await development().ensure(wanted);
    const before = (await certificate()).fingerprint256;
    expect(await development().ensure({ domain: wanted.domain, hosts: [] })).toMatchObject({ made: false });
    expect((await certificate()).fingerprint256).toBe(before);
  });

  it('makes it again when a name is missing, with the same authority', async () => {
    const first = await development().ensure(wanted);
    const ca = await readFile(join(stateDir, 'ca/rootCA.pem'), 'utf8');
    const second = await development().ensure({ ...wanted, hosts: [...wanted.hosts, 'new.example'] });
    expect([first, second]).toMatchObject([{ made: true }, { made: true }]);
    expect((await certificate()).checkHost('new.example')).toBeDefined();
    expect(await readFile(join(stateDir, 'ca/rootCA.pem'), 'utf8')).toBe(ca);
  });

  it('makes it again 30 days before it expires', async () => {
    await development().ensure(wanted);
    expect(await development({ clock: inDays(360) }).ensure(wanted)).toMatchObject({ made: false });
    expect(await development({ clock: inDays(370) }).ensure(wanted)).toMatchObject({ made: true });
  });

  it('makes it again when the authority has changed', async () => {
    await development().ensure(wanted);
    await rm(join(stateDir, 'ca'), { recursive: true });
    expect(await development().ensure(wanted)).toMatchObject({ made: true });
  });

  it("signs with mkcert's authority when there is one, RSA too", async () => {
    const mkcertRoot = join(root, 'mkcert');
    await mkdir(mkcertRoot);
    const key = join(mkcertRoot, 'rootCA-key.pem');
    const request = [
      'req',
      '-x509',
      '-newkey',
      'rsa:2048',
      '-nodes',
      '-keyout',
      key,
      '-out',
      join(mkcertRoot, 'rootCA.pem'),
    ];
    execFileSync('openssl', [...request, '-days', '10', '-subj', '/O=mkcert development CA'], { stdio: 'ignore' });
    expect(await development({ mkcertRoot }).ensure(wanted)).toMatchObject({
      ca: 'mkcert',
      caPath: join(mkcertRoot, 'rootCA.pem'),
    });
    const args = ['verify', '-CAfile', join(mkcertRoot, 'rootCA.pem'), join(certsDir, 'fullchain.pem')];
    expect(execFileSync('openssl', args).toString()).toContain('OK');
  });

  it("uses its own authority when mkcert's key is missing or belongs to another certificate", async () => {
    const mkcertRoot = join(root, 'mkcert');
    await mkdir(mkcertRoot);
    await writeFile(join(mkcertRoot, 'rootCA.pem'), (await makeAuthority(Date.now())).cert);
    expect(await development({ mkcertRoot }).ensure(wanted)).toMatchObject({ ca: 'own' });
    await writeFile(join(mkcertRoot, 'rootCA-key.pem'), (await makeAuthority(Date.now())).key);
    expect(await development({ mkcertRoot }).ensure(wanted)).toMatchObject({ ca: 'own' });
  });

  it("never touches the operator's files", async () => {
    await mkdir(certsDir);
    await writeFile(join(certsDir, 'fullchain.pem'), 'mine');
    await writeFile(join(certsDir, 'key.pem'), 'mine too');
    expect(await development().ensure(wanted)).toEqual({ owner: 'operator' });
    expect(await readFile(join(certsDir, 'fullchain.pem'), 'utf8')).toBe('mine');
  });

  it('takes files that were put in the place of ours for the operator’s', async () => {
    await development().ensure(wanted);
    await writeFile(join(certsDir, 'fullchain.pem'), 'mine');
    await chmod(join(certsDir, 'key.pem'), 0o600);
    await writeFile(join(certsDir, 'key.pem'), 'mine too');
    expect(await development().ensure({ ...wanted, hosts: ['new.example'] })).toEqual({ owner: 'operator' });
  });

  it('says which of two files is missing', async () => {
    await mkdir(certsDir);
    await writeFile(join(certsDir, 'fullchain.pem'), 'mine');
    await expect(development().ensure(wanted)).rejects.toMatchObject({
      code: 'certificate_incomplete',
      message: expect.stringContaining('no key.pem') as unknown,
    });
  });

  it('mends what a crash between its two files left behind', async () => {
    await development().ensure(wanted);
    const old = await readFile(join(certsDir, 'fullchain.pem'));
    await development().ensure({ ...wanted, hosts: ['new.example'] });
    await writeFile(join(certsDir, 'fullchain.pem'), old);
    expect(await development().ensure({ ...wanted, hosts: ['new.example'] })).toMatchObject({ made: true });
    expect((await certificate()).checkHost('new.example')).toBeDefined();
  });
});
