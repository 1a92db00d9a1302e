import { createPrivateKey, X509Certificate } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { replaceFile } from '../lib/replace-file.ts';
import type { PemPair } from './certificate-maker.ts';

/** Who signs the development certificate. */
export interface Authority extends PemPair {
  readonly kind: 'own' | 'mkcert';
  /** The certificate that browsers and clients are to trust. */
  readonly certPath: string;
  readonly fingerprint: string;
}

export interface DevelopmentCaOptions {
  /** Holds `ca/` with our own authority. */
  readonly stateDir: string;
  /** The folder of mkcert's authority, which is used when there is one: this machine trusts it already. */
  readonly mkcertRoot: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

/** Finds the authority of this machine, or makes one. */
export class DevelopmentCa {
  readonly #options: DevelopmentCaOptions;

  constructor(options: DevelopmentCaOptions) {
    this.#options = options;
  }

  async load(): Promise<Authority> {
    return (await this.find()) ?? (await this.#make());
  }

  /** The authority that is there, for commands that change nothing. */
  async find(): Promise<Authority | undefined> {
    const { mkcertRoot, stateDir } = this.#options;
    const mkcert = mkcertRoot === undefined ? undefined : await this.#read('mkcert', mkcertRoot);
    return mkcert ?? (await this.#read('own', join(stateDir, 'ca')));
  }

  async #read(kind: Authority['kind'], folder: string): Promise<Authority | undefined> {
    const certPath = join(folder, 'rootCA.pem');
    try {
      const cert = await readFile(certPath, 'utf8');
      const key = await readFile(join(folder, 'rootCA-key.pem'), 'utf8');
      const parsed = new X509Certificate(cert);
      this.#mustBeUsable(parsed, key);
      return { kind, cert, key, certPath, fingerprint: parsed.fingerprint256 };
    } catch (error) {
      const absent = (error as NodeJS.ErrnoException).code === 'ENOENT';
      if (!absent)
        this.#options.log.warn({ folder, reason: messageOf(error) }, 'this certificate authority cannot be used');
      return undefined;
    }
  }

  #mustBeUsable(certificate: X509Certificate, key: string): void {
    if (!certificate.ca) throw new Error('rootCA.pem is not the certificate of an authority');
    if (!certificate.checkPrivateKey(createPrivateKey(key)))
      throw new Error('rootCA-key.pem belongs to another certificate');
    if (Date.parse(certificate.validTo) < this.#options.clock.epochMs()) throw new Error('rootCA.pem has expired');
  }

  async #make(): Promise<Authority> {
    const { stateDir, clock, log } = this.#options;
    const folder = join(stateDir, 'ca');
    const certPath = join(folder, 'rootCA.pem');
    // Making certificates needs a large library that serving them does not.
    const { makeAuthority } = await import('./certificate-maker.ts');
    const { cert, key } = await makeAuthority(clock.epochMs());
    await mkdir(folder, { recursive: true, mode: 0o700 });
    await replaceFile(join(folder, 'rootCA-key.pem'), key, 0o600);
    await replaceFile(certPath, `${cert}\n`, 0o644);
    log.info({ certPath }, 'made a development certificate authority; `reveille certs` says how to trust it');
    return { kind: 'own', cert, key, certPath, fingerprint: new X509Certificate(cert).fingerprint256 };
  }
}
