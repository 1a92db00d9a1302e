import { resolve } from 'node:path';
import { linkSocketOf } from './composition/addresses.ts';
import type { Settings } from './config/settings.ts';
import { createDataHalf } from './composition/create-data-half.ts';
import { SystemClock } from './lib/clock.ts';
import { messageOf } from './lib/coded-error.ts';
import { Parts } from './lib/parts.ts';
import { LinkClient } from './link/link-client.ts';
import type { ControlFacts } from './link/messages.ts';
import { openStateDir } from './composition/open-state-dir.ts';
import type { ProcessOptions } from './composition/process-options.ts';
import type { DataHalf } from './proxy/data-half.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import { watchEdits } from './composition/watch-edits.ts';

const AWAY = 'What wakes services is away for a moment: the wake goes on by itself as soon as it is back.';

/** The data half as a process of its own, one of several: it listens once it knows the fleet. */
export class ProxyProcess {
  readonly #options: ProcessOptions;
  readonly #clock = new SystemClock();
  readonly #parts: Parts;
  readonly #link: LinkClient;
  #settings: Settings;
  #facts: ControlFacts = {};
  #dataHalf: DataHalf | undefined;

  constructor(options: ProcessOptions) {
    const { settings, log } = options;
    this.#options = options;
    this.#settings = settings;
    this.#parts = new Parts(log);
    const onFacts = (facts: ControlFacts): void => this.#told(facts);
    this.#link = new LinkClient({ path: linkSocketOf(settings), clock: this.#clock, log, onFacts });
    this.#parts.add('link', () => this.#link.close());
  }

  /** Waits for the control process as long as that takes. @throws CodedError: what was started until then has been ended again */
  async start(): Promise<void> {
    // While it waits for the control process, nothing else may keep it alive.
    const waiting = setInterval(() => undefined, 60_000);
    await this.#parts.startAll(() => this.#start()).finally(() => clearInterval(waiting));
  }

  /** Finishes what is open, then leaves. Idempotent. */
  close(): Promise<void> {
    return this.#parts.close();
  }

  async #start(): Promise<void> {
    const { log } = this.#options;
    await openStateDir(this.#settings);
    const certificates = new CertificateStore({ certsDir: resolve(this.#settings.certsDir), clock: this.#clock, log });
    await this.#parts.start('certificates', certificates);
    await this.#link.start();
    const port = await this.#listen(certificates);
    this.#link.listening(port);
    await this.#watchSettings();
    log.info({ port }, 'a proxy process is up');
  }

  async #listen(certificates: CertificateStore): Promise<number> {
    const dataHalf = await createDataHalf({
      ...{ settings: this.#settings, link: this.#link, certificates, clock: this.#clock, log: this.#options.log },
      notice: () => (this.#link.away ? AWAY : this.#facts.notice),
    });
    this.#parts.add('proxy', () => dataHalf.close(this.#settings.drainTimeoutMs));
    const { https } = await dataHalf.start();
    this.#dataHalf = dataHalf;
    this.#told(this.#facts);
    return https.port;
  }

  #told(facts: ControlFacts): void {
    this.#facts = facts;
    const { gateway } = facts;
    if (gateway === undefined) return;
    this.#dataHalf?.listenAlso(gateway).catch((error: unknown) => {
      this.#options.log.warn(`containers cannot call services by their public names: ${messageOf(error)}`);
    });
  }

  /** The manifest comes from the control process; of .env, what concerns us is read here. */
  async #watchSettings(): Promise<void> {
    const { log } = this.#options;
    const watcher = await watchEdits({
      ...this.#options,
      clock: this.#clock,
      // The control process reads the same file, and says what it makes of it.
      log: log.child({}, { level: 'silent' }),
      manifestFiles: [],
      applyManifest: () => Promise.resolve([]),
      applySettings: (settings) => {
        this.#settings = settings;
        log.level = settings.logLevel;
        this.#dataHalf?.apply(settings);
      },
      onRefused: () => undefined,
      showRefused: () => undefined,
    });
    this.#parts.add('watcher', () => watcher.close());
  }
}
