import { watch, type FSWatcher } from 'chokidar';
import type { SecureContext } from 'node:tls';
import type { Clock, Timer } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { Lane } from '../lib/lane.ts';
import type { Logger } from '../lib/logger.ts';
import { listCertificateFolders, type CertificateFolder } from './certificate-folders.ts';
import { covers, wildcardOf } from './certificate-names.ts';
import { readCertificatePair, type CertificatePair } from './certificate-pair.ts';

export interface CertificateStoreOptions {
  readonly certsDir: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** How long files must be quiet before they are read, in milliseconds: certificate and key are replaced one after the other. */
  readonly settleMs?: number;
}

interface Entry {
  /** The stamp of the files that were looked at last, good or bad. */
  readonly stamp: string | undefined;
  readonly pair: CertificatePair | undefined;
}

const SETTLE_MS = 250;
/** Some file systems report no changes. */
const LOOK_AGAIN_MS = 60_000;
const DEFAULT = '';

/** The certificates in the certificate folder: which one a name gets, and the new one as soon as files are replaced. */
export class CertificateStore {
  readonly #options: CertificateStoreOptions;
  readonly #entries = new Map<string, Entry>();
  readonly #listeners = new Set<() => void>();
  readonly #lane = new Lane();
  #default: CertificatePair | undefined;
  #watcher: FSWatcher | undefined;
  #settling: Timer | undefined;
  #closed = false;

  constructor(options: CertificateStoreOptions) {
    this.#options = options;
  }

  /** @throws CodedError `certificate_missing` or `certificate_invalid` when there is no usable default certificate */
  async start(): Promise<void> {
    const { certsDir } = this.#options;
    await this.#scan();
    if (this.#default === undefined) throw await this.#whyNone();
    const watcher = watch(certsDir, { ignoreInitial: true, depth: 1 });
    this.#watcher = watcher;
    watcher.on('all', () => this.#settle());
    watcher.on('error', (error) =>
      this.#options.log.warn({ err: error }, 'certificate files cannot be watched; looking once a minute'),
    );
    this.#lookAgain();
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#settling?.cancel();
    this.#listeners.clear();
    await this.#watcher?.close();
  }

  /** What a client that asked for this name is shown. Never throws once started. */
  contextFor(serverName: string | undefined): SecureContext {
    return this.#pairFor(serverName).context;
  }

  defaultMaterial(): { cert: Buffer; key: Buffer } {
    const { cert, key } = this.#pairFor(undefined);
    return { cert, key };
  }

  /**
   * Whether a request for `host` may be answered on a connection that was opened for `serverName`; if not, 421 (RFC 9110 15.5.20).
   * A host that no certificate covers needs no other one: it is simply unknown.
   */
  sameCertificate(serverName: string | undefined, host: string): boolean {
    const needed = this.#pairFor(host);
    if (needed === this.#pairFor(serverName)) return true;
    return needed === this.#default && !covers(needed.names, host);
  }

  /** Calls back after certificates were replaced. Returns the way out. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #pairFor(name: string | undefined): CertificatePair {
    if (this.#default === undefined) throw new Error('The certificate store has not been started.');
    if (name === undefined || this.#entries.size <= 1) return this.#default;
    const host = name.toLowerCase().replace(/\.$/, '');
    return this.#entries.get(host)?.pair ?? this.#entries.get(wildcardOf(host) ?? host)?.pair ?? this.#default;
  }

  #settle(): void {
    this.#settling?.cancel();
    this.#settling = this.#options.clock.after(this.#options.settleMs ?? SETTLE_MS, () => void this.#scan());
  }

  #lookAgain(): void {
    this.#options.clock.after(LOOK_AGAIN_MS, () => {
      if (this.#closed) return;
      void this.#scan();
      this.#lookAgain();
    });
  }

  #scan(): Promise<void> {
    return this.#lane.run(async () => {
      const folders = await listCertificateFolders(this.#options.certsDir);
      let changed = this.#forgetAllBut(folders);
      for (const folder of folders) changed = (await this.#refresh(folder)) || changed;
      this.#default = this.#entries.get(DEFAULT)?.pair;
      if (changed) for (const listener of this.#listeners) listener();
    });
  }

  /** Takes over what is new and good; what is bad is refused and the old one stays. Tells whether something changed. */
  async #refresh({ name, path, stamp }: CertificateFolder): Promise<boolean> {
    const { clock, log } = this.#options;
    const known = this.#entries.get(name);
    if (known !== undefined && known.stamp === stamp) return false;
    try {
      const pair = await readCertificatePair(path, clock.epochMs());
      this.#entries.set(name, { stamp, pair });
      if (known !== undefined) log.info({ folder: path, names: [...pair.names] }, 'took over a replaced certificate');
      if (name !== DEFAULT && !covers(pair.names, name) && !pair.names.has(name)) {
        log.warn({ folder: path, name }, 'this certificate does not name the host that its folder is for');
      }
      return true;
    } catch (error) {
      this.#entries.set(name, { stamp, pair: known?.pair });
      const kept = known?.pair === undefined ? 'it is not used' : 'the old one is kept';
      log.error({ folder: path, reason: messageOf(error) }, `a certificate was refused; ${kept}`);
      return false;
    }
  }

  #forgetAllBut(folders: readonly CertificateFolder[]): boolean {
    const names = new Set(folders.map(({ name }) => name));
    let changed = false;
    for (const name of this.#entries.keys()) {
      if (names.has(name)) continue;
      this.#entries.delete(name);
      this.#options.log.info({ name }, 'the certificate folder of this name is gone');
      changed = true;
    }
    return changed;
  }

  async #whyNone(): Promise<CodedError> {
    const { certsDir, clock } = this.#options;
    try {
      await readCertificatePair(certsDir, clock.epochMs());
      return new CodedError('certificate_invalid', `${certsDir} changed while it was read; start again.`);
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'certificate_invalid';
      const advice = `${certsDir} must hold fullchain.pem (the certificate and its chain) and key.pem (its key) as the default certificate`;
      return new CodedError(code, `${messageOf(error)} ${advice}; CERTS_DIR names another folder.`, { cause: error });
    }
  }
}
