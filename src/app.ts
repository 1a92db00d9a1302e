import { chmod, mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Manifest } from './config/service-spec.ts';
import type { Settings } from './config/settings.ts';
import { ConfigWatcher } from './config/watch-config.ts';
import { ControlHalf, hostsOf } from './control-half.ts';
import type { Runtime } from './fleet/runtime.ts';
import { SystemClock } from './lib/clock.ts';
import { messageOf } from './lib/coded-error.ts';
import type { Logger } from './lib/logger.ts';
import { Parts } from './lib/parts.ts';
import { keptSecret } from './lib/secret-file.ts';
import { LiveConfig } from './live-config.ts';
import { DataHalf, type ListeningPorts } from './proxy/data-half.ts';
import type { ForwardLimits } from './proxy/forward/forward-limits.ts';
import type { ListenerLimits } from './proxy/listen/listener-limits.ts';
import { startupReport } from './startup-report.ts';
import { CertificateStore } from './tls/certificate-store.ts';
import { DevelopmentCertificates } from './tls/development-certificates.ts';
import { mkcertRoot } from './tls/mkcert.ts';

export interface AppOptions {
  readonly settings: Settings;
  readonly dotenvText: string;
  readonly envFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}

/** The composition root: both halves in one process, started in order and ended in reverse order. */
export class App {
  readonly #options: AppOptions;
  readonly #log: Logger;
  readonly #clock = new SystemClock();
  readonly #parts: Parts;
  readonly #control: ControlHalf;
  #settings: Settings;
  #caPath: string | undefined;
  #developmentCertificates: DevelopmentCertificates | undefined;
  #dataHalf: DataHalf | undefined;

  constructor(options: AppOptions) {
    const { settings, log, environment } = options;
    this.#options = options;
    this.#settings = settings;
    this.#log = log;
    this.#parts = new Parts(log);
    this.#control = new ControlHalf({
      ...{ environment, log, clock: this.#clock, parts: this.#parts },
      settings: () => this.#settings,
      httpsPort: () => this.#dataHalf?.httpsPort ?? settings.httpsPort,
      caPath: () => this.#caPath,
    });
  }

  get #development(): boolean {
    return this.#settings.env === 'development';
  }

  /** @throws ConfigError, CodedError: what was started until then has been ended again */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.close();
      throw error;
    }
  }

  /** Finishes what is open, then lets go of everything. Idempotent. */
  close(): Promise<void> {
    return this.#parts.close();
  }

  async #start(): Promise<void> {
    const { manifest, files } = await this.#control.loadManifest(this.#settings, this.#options.dotenvText);
    const stateDir = resolve(this.#settings.stateDir);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await chmod(stateDir, 0o700);
    await this.#control.open(manifest);
    const certificates = await this.#openCertificates(manifest, stateDir);
    const ports = await this.#openDataHalf(certificates, stateDir);
    await this.#control.start();
    this.#listenForContainers(this.#control.runtime);
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
    await certificates.start();
    this.#parts.add('certificates', () => certificates.close());
    return certificates;
  }

  /** Makes the development certificate fit the manifest; the operator's own is left alone. */
  async #certify(manifest: Manifest): Promise<void> {
    const hosts = [...hostsOf(manifest), this.#control.adminHost];
    const origin = await this.#developmentCertificates?.ensure({ domain: this.#settings.domain, hosts });
    this.#caPath = origin?.owner === 'reveille' ? origin.caPath : undefined;
  }

  async #openDataHalf(certificates: CertificateStore, stateDir: string): Promise<ListeningPorts> {
    const { localIp, httpsPort, httpPort, trustedProxies, accessLog } = this.#settings;
    const { fleet, adminHost, socketPath } = this.#control;
    const affinitySecret = Buffer.from(await keptSecret(resolve(stateDir, 'affinity-secret'), 32), 'hex');
    const ticketKeys = Buffer.from(await keptSecret(resolve(stateDir, 'ticket-keys'), 48), 'hex');
    const dataHalf = new DataHalf({
      ...{ link: fleet.connect(), certificates, clock: this.#clock, log: this.#log, development: this.#development },
      ...{ address: localIp, httpsPort, httpPort, trustedProxies, accessLog, affinitySecret, ticketKeys },
      admin: { host: adminHost, endpoint: { host: socketPath, port: 0 } },
      listenerLimits: listenerLimitsOf(this.#settings),
      forwardLimits: forwardLimitsOf(this.#settings),
      notice: () => this.#control.notice,
    });
    this.#dataHalf = dataHalf;
    this.#parts.add('proxy', () => dataHalf.close(this.#settings.drainTimeoutMs));
    return dataHalf.start();
  }

  /** Containers reach us under the gateway of their network, which is there once the engine has made the network. */
  #listenForContainers(runtime: Runtime): void {
    const listen = async (): Promise<void> => {
      const gateway = runtime.condition.up ? await runtime.gateway() : undefined;
      if (gateway === undefined || ['0.0.0.0', '::', gateway].includes(this.#settings.localIp)) return;
      await this.#dataHalf?.listenAlso(gateway);
    };
    const listenQuietly = (): void => {
      listen().catch((error: unknown) => {
        this.#log.warn(`containers cannot call services by their public names: ${messageOf(error)}`);
      });
    };
    listenQuietly();
    const unsubscribe = runtime.onEvent(({ type }) => {
      if (type === 'condition') listenQuietly();
    });
    this.#parts.add('gateway', () => {
      unsubscribe();
      return Promise.resolve();
    });
  }

  async #watchConfig(files: readonly string[]): Promise<void> {
    const { envFile, environment, dotenvText } = this.#options;
    const tools = {
      ...{ envFile, environment, log: this.#log },
      applyManifest: (settings: Settings, text: string) => this.#applyManifest(watcher, settings, text),
      applySettings: (settings: Settings) => this.#applySettings(settings),
      onRefused: (detail: string) => this.#control.bus.emit('manifest.refused', 'proxy', { detail }),
    };
    const live = new LiveConfig(tools, this.#settings, dotenvText);
    const watcher: ConfigWatcher = new ConfigWatcher({
      manifestPath: this.#settings.manifest,
      envPath: envFile,
      clock: this.#clock,
      logger: this.#log,
      onChange: ({ kind }) => void (kind === 'env' ? live.envEdited() : live.manifestEdited()),
    });
    await watcher.start();
    watcher.setManifestFiles(files);
    this.#parts.add('watcher', () => watcher.close());
  }

  async #applyManifest(watcher: ConfigWatcher, settings: Settings, dotenvText: string): Promise<void> {
    const { manifest, files } = await this.#control.loadManifest(settings, dotenvText);
    watcher.setManifestFiles(files);
    await this.#certify(manifest);
    await this.#control.apply(manifest);
  }

  /** Only what needs no restart is taken over. */
  #applySettings({ logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands }: Settings): void {
    const live = { logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands };
    this.#settings = { ...this.#settings, ...live };
    this.#log.level = logLevel;
    this.#dataHalf?.apply(live);
    this.#control.applySettings();
  }

  #report({ https, http }: ListeningPorts): void {
    const { adminHost, manifest, notice, facts } = this.#control;
    const report = startupReport({
      ...{ ...facts, adminHost, notice, caPath: this.#caPath },
      services: manifest.values(),
      publicUrl: (host) => this.#control.publicUrl(host),
      fellBack: [https.fellBack, http?.fellBack].filter((error) => error !== undefined),
    });
    if (this.#settings.logFormat === 'pretty') {
      process.stdout.write(`${report}\n`);
      return;
    }
    if (notice !== undefined) this.#log.warn(notice);
    this.#log.info({ ...facts, port: https.port }, 'Reveille is up');
  }
}

function listenerLimitsOf({ limits }: Settings): Partial<ListenerLimits> {
  return {
    handshakeTimeoutMs: limits.tlsHandshakeTimeoutMs,
    headersTimeoutMs: limits.headersTimeoutMs,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
    sessionIdleTimeoutMs: limits.keepAliveTimeoutMs,
    stallTimeoutMs: limits.stallTimeoutMs,
    maxHeaderBytes: limits.maxHeaderSizeBytes,
    maxUrlBytes: limits.maxUrlSizeBytes,
    maxConnectionsPerAddress: limits.maxConnectionsPerClient,
  };
}

function forwardLimitsOf({ limits }: Settings): Partial<ForwardLimits> {
  return {
    connectTimeoutMs: limits.connectTimeoutMs,
    responseTimeoutMs: limits.responseTimeoutMs,
    bodyTimeoutMs: limits.bodyTimeoutMs,
    stallTimeoutMs: limits.stallTimeoutMs,
    maxBodyBytes: limits.maxBodySizeBytes === 0 ? Infinity : limits.maxBodySizeBytes,
  };
}
