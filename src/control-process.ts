import { linkSocketOf } from './composition/addresses.ts';
import type { Settings } from './config/settings.ts';
import { ControlHalf } from './composition/control-half.ts';
import { followGateway } from './composition/follow-gateway.ts';
import { sleep, SystemClock } from './lib/clock.ts';
import { Parts } from './lib/parts.ts';
import { LinkServer } from './link/link-server.ts';
import { ManifestReader } from './composition/manifest-reader.ts';
import { openStateDir } from './composition/open-state-dir.ts';
import type { ProcessOptions } from './composition/process-options.ts';
import { watchEdits } from './composition/watch-edits.ts';

/** What runs is looked at before the proxies are told of it, so that they lose nothing that serves; for so long at most. */
const ADOPT_WITHIN_MS = 10_000;

/** The control half as a process of its own: the proxy processes find it at its socket, and outlive it. */
export class ControlProcess {
  readonly #options: ProcessOptions;
  readonly #clock = new SystemClock();
  readonly #parts: Parts;
  readonly #control: ControlHalf;
  readonly #manifests: ManifestReader;
  #settings: Settings;
  #link: LinkServer | undefined;
  #gateway: string | undefined;

  constructor(options: ProcessOptions) {
    const { settings, environment, log } = options;
    this.#options = options;
    this.#settings = settings;
    this.#parts = new Parts(log);
    this.#manifests = new ManifestReader(environment);
    this.#control = new ControlHalf({
      ...{ log, clock: this.#clock, parts: this.#parts },
      settings: () => this.#settings,
      httpsPort: () => this.#link?.httpsPort ?? settings.httpsPort,
      // Instances trust what the operator's certificate is signed by.
      caPath: () => undefined,
      proxies: () => this.#link?.connected ?? 0,
    });
  }

  /** @throws ConfigError, CodedError: what was started until then has been ended again */
  start(): Promise<void> {
    return this.#parts.startAll(() => this.#start());
  }

  /** Hangs up on the proxies first, so that what ends here fails no request of theirs: they wait for the next one. Idempotent. */
  close(): Promise<void> {
    return this.#parts.close();
  }

  placeInManifest(error: unknown): string | undefined {
    return this.#manifests.placeOf(error);
  }

  async #start(): Promise<void> {
    const control = this.#control;
    const { manifest, files } = await this.#manifests.read(this.#settings, this.#options.dotenvText);
    await openStateDir(this.#settings);
    await control.open(manifest);
    await control.start();
    await Promise.race([control.fleet.adopted(), sleep(this.#clock, ADOPT_WITHIN_MS)]);
    await this.#openLink();
    const tell = (gateway: string): undefined => {
      this.#gateway = gateway;
      this.#link?.tellFacts();
    };
    this.#parts.add('gateway', followGateway(control.runtime, this.#options.log, tell));
    await this.#watchConfig(files);
    const { notice, facts } = control;
    if (notice !== undefined) this.#options.log.warn(notice);
    this.#options.log.info(facts, 'the control process is up');
  }

  async #openLink(): Promise<void> {
    const control = this.#control;
    const link = new LinkServer({
      path: linkSocketOf(this.#settings),
      clock: this.#clock,
      log: this.#options.log,
      connect: () => control.fleet.connect(),
      facts: () => ({ notice: control.notice, gateway: this.#gateway }),
    });
    this.#link = link;
    await this.#parts.start('link', link);
  }

  async #watchConfig(manifestFiles: readonly string[]): Promise<void> {
    const control = this.#control;
    const watcher = await watchEdits({
      ...this.#options,
      clock: this.#clock,
      manifestFiles,
      applyManifest: async (settings, text, onFile) => {
        const { manifest, files } = await this.#manifests.read(settings, text, onFile);
        await control.apply(manifest);
        return files;
      },
      applySettings: (settings) => {
        this.#settings = settings;
        this.#options.log.level = settings.logLevel;
        control.applySettings();
      },
      onRefused: (detail, code) => control.bus.emit('manifest.refused', 'proxy', { code, detail }),
      showRefused: (edits) => control.showRefused(edits),
    });
    this.#parts.add('watcher', () => watcher.close());
  }
}
