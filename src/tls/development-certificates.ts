import { createHash, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import { Lane } from '../lib/lane.ts';
import type { Logger } from '../lib/logger.ts';
import { replaceFile } from '../lib/replace-file.ts';
import { covers, developmentNames, namesOf, shortAddress } from './certificate-names.ts';
import { DevelopmentCa, type Authority } from './development-ca.ts';

export interface DevelopmentCertificatesOptions {
  readonly certsDir: string;
  readonly stateDir: string;
  /** See mkcert.ts; undefined leaves mkcert out. */
  readonly mkcertRoot: string | undefined;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface WantedNames {
  readonly domain: string;
  /** Every host of the manifest; `*.` in front for a wildcard. */
  readonly hosts: Iterable<string>;
  /** The address under which containers reach this machine. */
  readonly gateway?: string;
}

/** Whose certificate serves: the operator's is left alone, ours is kept up to date. */
export type CertificateOrigin =
  | { readonly owner: 'operator' }
  | { readonly owner: 'reveille'; readonly made: boolean; readonly caPath: string; readonly ca: 'own' | 'mkcert' };

/** What proves that the files are ours: the hashes of all that was written last and the time before. */
interface Marker {
  readonly note: string;
  readonly caFingerprint: string;
  readonly files: readonly string[];
}

interface Present {
  readonly cert: string | undefined;
  readonly key: string | undefined;
}

const MARKER = '.made-by-reveille.json';
const NOTE =
  'fullchain.pem and key.pem were made for development and are made again when needed. Put your own in their place and they are left alone.';
const RENEW_BEFORE_MS = 30 * 86_400_000;

/** Keeps a certificate for development in the certificate folder as long as the operator has put none there. */
export class DevelopmentCertificates {
  readonly #options: DevelopmentCertificatesOptions;
  readonly #ca: DevelopmentCa;
  readonly #lane = new Lane();

  constructor(options: DevelopmentCertificatesOptions) {
    this.#options = options;
    this.#ca = new DevelopmentCa(options);
  }

  /**
   * Makes the certificate when there is none, or when ours lacks a name, expires within 30 days or has another authority.
   * @throws CodedError `certificate_incomplete` when only one of the operator's two files is there
   */
  ensure(wanted: WantedNames): Promise<CertificateOrigin> {
    return this.#lane.run(() => this.#ensure(wanted));
  }

  async #ensure(wanted: WantedNames): Promise<CertificateOrigin> {
    const present = await this.#present();
    const marker = await this.#marker();
    if (!isOurs(present, marker)) return this.#operators(present);
    const names = developmentNames(wanted.domain, wanted.hosts, wanted.gateway);
    const authority = await this.#ca.load();
    const reason = this.#reasonToMake(present, marker, names, authority);
    if (reason !== undefined) await this.#make(names, authority, marker, reason);
    return { owner: 'reveille', made: reason !== undefined, caPath: authority.certPath, ca: authority.kind };
  }

  #operators({ cert, key }: Present): CertificateOrigin {
    if (cert !== undefined && key !== undefined) return { owner: 'operator' };
    const { certsDir } = this.#options;
    const [there, missing] = cert === undefined ? ['key.pem', 'fullchain.pem'] : ['fullchain.pem', 'key.pem'];
    const advice = `add ${missing}, or remove ${there} to have a development certificate made`;
    throw new CodedError('certificate_incomplete', `${certsDir} has ${there} but no ${missing}: ${advice}.`);
  }

  #reasonToMake(
    { cert, key }: Present,
    marker: Marker | undefined,
    names: string[],
    authority: Authority,
  ): string | undefined {
    if (cert === undefined || key === undefined) return 'there is none';
    const parsed = new X509Certificate(cert);
    if (marker?.caFingerprint !== authority.fingerprint) return 'the certificate authority is another one';
    if (Date.parse(parsed.validTo) - this.#options.clock.epochMs() < RENEW_BEFORE_MS) return 'it expires soon';
    const has = namesOf(parsed.subjectAltName);
    const missing = names.filter((name) => !covers(has, shortAddress(name)));
    return missing.length === 0 ? undefined : `it lacks ${missing.join(', ')}`;
  }

  async #make(names: string[], authority: Authority, before: Marker | undefined, reason: string): Promise<void> {
    const { certsDir, clock, log } = this.#options;
    const { makeServerCertificate } = await import('./certificate-maker.ts');
    const { cert, key } = await makeServerCertificate(authority, names, clock.epochMs());
    // The marker goes first and knows old and new: whichever files a crash leaves behind are still known as ours.
    const files = [hash(cert), hash(key), ...(before?.files.slice(0, 2) ?? [])];
    const marker: Marker = { note: NOTE, caFingerprint: authority.fingerprint, files };
    await replaceFile(join(certsDir, MARKER), `${JSON.stringify(marker, null, 2)}\n`, 0o644);
    await replaceFile(join(certsDir, 'key.pem'), key, 0o600);
    await replaceFile(join(certsDir, 'fullchain.pem'), cert, 0o644);
    log.info({ names, reason, authority: authority.kind }, 'made a development certificate');
  }

  async #present(): Promise<Present> {
    const { certsDir } = this.#options;
    return {
      cert: await readIfThere(join(certsDir, 'fullchain.pem')),
      key: await readIfThere(join(certsDir, 'key.pem')),
    };
  }

  async #marker(): Promise<Marker | undefined> {
    const text = await readIfThere(join(this.#options.certsDir, MARKER));
    if (text === undefined) return undefined;
    try {
      const marker = JSON.parse(text) as Partial<Marker>;
      const files = Array.isArray(marker.files) ? marker.files.filter((file) => typeof file === 'string') : [];
      return { note: NOTE, caFingerprint: String(marker.caFingerprint), files };
    } catch {
      return undefined;
    }
  }
}

function isOurs({ cert, key }: Present, marker: Marker | undefined): boolean {
  return [cert, key].every((content) => content === undefined || marker?.files.includes(hash(content)) === true);
}

function hash(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

async function readIfThere(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new CodedError('certificate_unreadable', `${path} cannot be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
