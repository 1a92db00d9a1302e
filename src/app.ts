import { resolve } from 'node:path';
import type { Manifest } from './config/service-spec.ts';
import type { Settings } from './config/settings.ts';
import { hostsOf } from './composition/addresses.ts';
import { ControlHalf } from './composition/control-half.ts';
import { createDataHalf } from './composition/create-data-half.ts';
import { followGateway } from './composition/follow-gateway.ts';
import { SystemClock } from './lib/clock.ts';
import type { Logger } from './lib/logger.ts';
import { Parts } from './lib/parts.ts';
import { ManifestReader } from './composition/manifest-reader.ts';
import { openStateDir } from './composition/open-state-dir.ts';
import type { ProcessOptions } from './composition/process-options.ts';
import type { DataHalf, ListeningPorts } from './proxy/data-half.ts';
import { startupReport } from './composition/startup-report.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import { DevelopmentCertificates } from './tls/development-certificates.ts';
import { mkcertRoot } from './tls/mkcert.ts';
import { watchEdits } from './composition/watch-edits.ts';

/** Both halves in one process, started in order and ended in reverse order. */
export class App {
  readonly #options: ProcessOptions;
  readonly #log: Logger;
  readonly #clock = new SystemClock();
  readonly #parts: Parts;
  readonly #control: ControlHalf;
  readonly #manifests: ManifestReader;
  #settings: Settings;
  #caPath: string | undefined;
  #developmentCertificates: DevelopmentCertificates | undefined;
  #dataHalf: DataHalf | undefined;

  constructor(options: ProcessOptions) {
    const { settings, log, environment } = options;
    this.#options = options;
    this.#settings = settings;
    this.#log = log;
    this.#parts = new Parts(log);
    this.#manifests = new ManifestReader(environment);
    this.#control = new ControlHalf({
      ...{ log, clock: this.#clock, parts: this.#parts },
      settings: () => this.#settings,
      httpsPort: () => this.#dataHalf?.httpsPort ?? settings.httpsPort,
      caPath: () => this.#caPath,
    });
  }

  get #development(): boolean {
    return this.#settings.env === 'development';
  }

  /** @throws ConfigError, CodedError: what was started until then has been ended again */
  start(): Promise<void> {
    return this.#parts.startAll(() => this.#start());
  }

  /** Finishes what is open, then lets go of everything. Idempotent. */
  close(): Promise<void> {
    return this.#parts.close();
  }

  placeInManifest(error: unknown): string | undefined {
    return this.#manifests.placeOf(error);
  }

  async #start(): Promise<void> {
    const { manifest, files } = await this.#manifests.read(this.#settings, this.#options.dotenvText);
    const stateDir = await openStateDir(this.#settings);
    await this.#control.open(manifest);
    const certificates = await this.#openCertificates(manifest, stateDir);
    const ports = await this.#openDataHalf(certificates);
    await this.#control.start();
    const listen = (gateway: string): Promise<void> | undefined => this.#dataHalf?.listenAlso(gateway);
    this.#parts.add('gateway', followGateway(this.#control.runtime, this.#log, listen));
    await this.#watchConfig(files);
    this.#report(ports);
  }

  async #openCertificates(manifest: Manifest, stateDir: string): Promise<CertificateStore> {
    const [clock, log, certsDir] = [this.#clock, this.#log, resolve(this.#settings.certsDir)];
    if (this.#development) {
      const options = { certsDir, stateDir, mkcertRoot: mkcertRoot(), clock, log };
      this.#developmentCertificates = new DevelopmentCertificates(options);
      await this.#certify(manifest);
    }
    const certificates = new CertificateStore({ certsDir, clock, log });
    await this.#parts.start('certificates', certificates);
    return certificates;
  }

  /** Makes the development certificate fit the manifest; the operator's own is left alone. */
  async #certify(manifest: Manifest): Promise<void> {
    const hosts = [...hostsOf(manifest), this.#control.adminHost];
    const origin = await this.#developmentCertificates?.ensure({ domain: this.#settings.domain, hosts });
    this.#caPath = origin?.owner === 'reveille' ? origin.caPath : undefined;
  }

  async #openDataHalf(certificates: CertificateStore): Promise<ListeningPorts> {
    const dataHalf = await createDataHalf({
      ...{ settings: this.#settings, link: this.#control.fleet.connect(), certificates },
      ...{ clock: this.#clock, log: this.#log, notice: () => this.#control.notice },
    });
    this.#dataHalf = dataHalf;
    this.#parts.add('proxy', () => dataHalf.close(this.#settings.drainTimeoutMs));
    return dataHalf.start();
  }

  async #watchConfig(manifestFiles: readonly string[]): Promise<void> {
    const watcher = await watchEdits({
      ...this.#options,
      clock: this.#clock,
      manifestFiles,
      applyManifest: (settings, text, onFile) => this.#applyManifest(settings, text, onFile),
      applySettings: (edited) => this.#applySettings(edited),
      onRefused: (detail, code) => this.#control.bus.emit('manifest.refused', 'proxy', { code, detail }),
      showRefused: (edits) => this.#control.showRefused(edits),
    });
    this.#parts.add('watcher', () => watcher.close());
  }

  async #applyManifest(
    settings: Settings,
    dotenvText: string,
    onFile: (path: string) => void,
  ): Promise<readonly string[]> {
    const { manifest, files } = await this.#manifests.read(settings, dotenvText, onFile);
    await this.#certify(manifest);
    await this.#control.apply(manifest);
    return files;
  }

  #applySettings(settings: Settings): void {
    this.#settings = settings;
    this.#log.level = settings.logLevel;
    this.#dataHalf?.apply(settings);
    this.#control.applySettings();
  }

  #report({ https, http }: ListeningPorts): void {
    const { adminHost, manifest, notice, facts } = this.#control;
    const fellBack = [https.fellBack, http?.fellBack].filter((error) => error !== undefined);
    const report = startupReport({
      ...{ ...facts, adminHost, notice, caPath: this.#caPath },
      services: manifest.values(),
      publicUrl: (host) => this.#control.publicUrl(host),
      fellBack,
    });
    if (this.#settings.logFormat === 'pretty') {
      process.stdout.write(`${report}\n`);
      return;
    }
    for (const { code, message } of fellBack) this.#log.warn({ code }, message);
    if (notice !== undefined) this.#log.warn(notice);
    this.#log.info({ ...facts, port: https.port }, 'Reveille is up');
  }
}
