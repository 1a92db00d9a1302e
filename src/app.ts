import { chmod, mkdir, readFile } from 'node:fs/promises';
import { relative, resolve } from 'node:path';
import { loadManifest, type LoadedManifest } from './config/load-manifest.ts';
import type { Manifest } from './config/service-spec.ts';
import { settingsEnvironment } from './config/settings-environment.ts';
import type { Settings } from './config/settings.ts';
import { ConfigWatcher } from './config/watch-config.ts';
import { EventBus } from './fleet/event-bus.ts';
import { Fleet } from './fleet/fleet.ts';
import { Registry } from './fleet/registry.ts';
import type { Runtime } from './fleet/runtime.ts';
import type { StateStore } from './fleet/state-store.ts';
import { SystemClock } from './lib/clock.ts';
import { messageOf } from './lib/coded-error.ts';
import type { Logger } from './lib/logger.ts';
import { keptSecret } from './lib/secret-file.ts';
import { LiveConfig } from './live-config.ts';
import { ManagementServer } from './management/server.ts';
import { EmbeddedBroker } from './messaging/embedded-broker.ts';
import { logEvents } from './messaging/event-log.ts';
import { MqttService } from './messaging/mqtt-service.ts';
import { StatusPublisher } from './messaging/status-publisher.ts';
import { NetworkProber } from './probes/network-prober.ts';
import type { ForwardLimits } from './proxy/forward-limits.ts';
import type { ListenerLimits } from './proxy/listener-limits.ts';
import { DataHalf, type ListeningPorts } from './proxy/data-half.ts';
import type { DockerRuntime } from './runtimes/docker/docker-runtime.ts';
import { startupReport } from './startup-report.ts';
import { EmbeddedStore } from './stores/embedded-store.ts';
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

/** What has to end, in the reverse order of its start. */
interface Closable {
  readonly name: string;
  readonly close: () => Promise<void>;
}

/** Ports above MQTT_PORT that development may take instead. */
const MQTT_FALLBACK_PORTS = 20;

/** The composition root: makes every object once, hands it what it needs, starts in order and ends in reverse order. */
export class App {
  readonly #options: AppOptions;
  readonly #log: Logger;
  readonly #clock = new SystemClock();
  readonly #bus: EventBus;
  readonly #parts: Closable[] = [];
  /** Read by the runtimes whenever they make an instance; the port is known only once we listen. */
  readonly #instanceEnvironment: Record<string, string> = {};
  #settings: Settings;
  #manifest: Manifest = new Map();
  #adminToken = '';
  #caPath: string | undefined;
  #developmentCertificates: DevelopmentCertificates | undefined;
  #dataHalf: DataHalf | undefined;
  #notice: string | undefined;
  #closing: Promise<void> | undefined;

  constructor(options: AppOptions) {
    this.#options = options;
    this.#settings = options.settings;
    this.#log = options.log;
    this.#bus = new EventBus(this.#clock, options.log);
  }

  get #development(): boolean {
    return this.#settings.env === 'development';
  }

  get #adminHost(): string {
    return `${this.#settings.adminSubdomain}.${this.#settings.domain}`;
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
    this.#closing ??= this.#endAll();
    return this.#closing;
  }

  async #start(): Promise<void> {
    const { manifest, files } = await this.#loadManifest(this.#settings, this.#options.dotenvText);
    this.#manifest = manifest;
    const stateDir = resolve(this.#settings.stateDir);
    await mkdir(stateDir, { recursive: true, mode: 0o700 });
    await chmod(stateDir, 0o700);
    const proxyId = (await keptSecret(resolve(stateDir, 'proxy-id'), 4)).slice(0, 8);
    this.#adminToken = await keptSecret(resolve(stateDir, 'admin-token'), 24);
    const affinitySecret = Buffer.from(await keptSecret(resolve(stateDir, 'affinity-secret'), 32), 'hex');

    const store = await this.#openStore(stateDir);
    logEvents(this.#bus, this.#log);
    const mqtt = await this.#openMqtt(proxyId);
    const runtime = await this.#openRuntime(proxyId);
    const fleet = this.#createFleet(runtime, store, mqtt, proxyId);
    await fleet.load(manifest);
    const certificates = await this.#openCertificates(stateDir);
    const socketPath = relative(process.cwd(), resolve(stateDir, 'control.sock'));
    await this.#openManagement(fleet, store, mqtt, socketPath);
    const ports = await this.#openDataHalf(fleet, certificates, affinitySecret, socketPath);
    await fleet.start();
    this.#listenForContainers(runtime);
    await this.#watchConfig(fleet, files);
    this.#report(ports, runtime, store, mqtt);
  }

  async #openStore(stateDir: string): Promise<StateStore> {
    const store = new EmbeddedStore({ stateDir, clock: this.#clock, log: this.#log });
    await store.start();
    this.#ends('store', () => store.close());
    return store;
  }

  async #openMqtt(proxyId: string): Promise<MqttService> {
    const { mqttBrokerUrl, mqttPort, mqttTopicRoot } = this.#settings;
    const [clock, log, bus] = [this.#clock, this.#log, this.#bus];
    const url = mqttBrokerUrl ?? (await this.#openBroker(mqttPort));
    const broker = { kind: mqttBrokerUrl === undefined ? 'embedded' : 'external', url } as const;
    const mqtt = new MqttService({ broker, topicRoot: mqttTopicRoot, proxyId, bus, clock, log });
    mqtt.start();
    this.#ends('mqtt', () => mqtt.close());
    return mqtt;
  }

  async #openBroker(port: number): Promise<string> {
    const fallbackPorts = this.#development ? MQTT_FALLBACK_PORTS : 0;
    const broker = new EmbeddedBroker({ port, fallbackPorts, clock: this.#clock, log: this.#log });
    await broker.start();
    this.#ends('broker', () => broker.close());
    return broker.url;
  }

  /** `auto` takes Docker when it answers, and processes when it does not and there is a service that can run as one. */
  async #openRuntime(proxyId: string): Promise<Runtime> {
    const { runtime: wanted, project } = this.#settings;
    const canFallBack = wanted === 'auto' && [...this.#manifest.values()].some((spec) => spec.process !== undefined);
    if (wanted !== 'process') {
      const docker = await this.#createDocker(proxyId);
      await docker.start();
      if (docker.condition.up || !canFallBack) return docker;
      await docker.close();
      const how = 'install Docker and start again, or set RUNTIME=process to do so on purpose';
      this.#notice = `No container engine: services run as processes of this machine. ${docker.condition.reason} (${how})`;
    }
    const { ProcessRuntime } = await import('./runtimes/process/process-runtime.ts');
    const [clock, log, environment] = [this.#clock, this.#log, this.#instanceEnvironment];
    return new ProcessRuntime({ project, clock, log, environment });
  }

  async #createDocker(proxyId: string): Promise<DockerRuntime> {
    // The client for the engine takes a third of a second to load: only where there may be one.
    const { DockerRuntime } = await import('./runtimes/docker/docker-runtime.ts');
    const { dockerHost, project, dockerNetwork: network, domain, limits } = this.#settings;
    return new DockerRuntime({
      ...{ project, network, proxyId, domain, clock: this.#clock, log: this.#log },
      ...(dockerHost !== undefined && { dockerHost }),
      buildTimeoutMs: limits.buildTimeoutMs,
      environment: this.#instanceEnvironment,
      hostsOf: () => hostsOf(this.#manifest),
      trustCa: () => this.#developmentCa(),
    });
  }

  #createFleet(runtime: Runtime, store: StateStore, mqtt: MqttService, proxyId: string): Fleet {
    const [clock, log, bus] = [this.#clock, this.#log, this.#bus];
    const fleet = new Fleet({
      ...{ runtime, clock, log, bus },
      prober: new NetworkProber(),
      registry: new Registry({ store, clock, log, proxyId }),
      observers: [new StatusPublisher(mqtt, clock, proxyId)],
      drainTimeoutMs: () => this.#settings.drainTimeoutMs,
      showLogs: this.#development,
    });
    this.#ends('fleet', () => fleet.close());
    return fleet;
  }

  async #openCertificates(stateDir: string): Promise<CertificateStore> {
    const [clock, log, certsDir] = [this.#clock, this.#log, resolve(this.#settings.certsDir)];
    if (this.#development) {
      const options = { certsDir, stateDir, mkcertRoot: mkcertRoot(), clock, log };
      this.#developmentCertificates = new DevelopmentCertificates(options);
      await this.#certify(this.#manifest);
    }
    const certificates = new CertificateStore({ certsDir, clock, log });
    await certificates.start();
    this.#ends('certificates', () => certificates.close());
    return certificates;
  }

  /** Makes the development certificate fit the manifest; the operator's own is left alone. */
  async #certify(manifest: Manifest): Promise<void> {
    const hosts = [...hostsOf(manifest), this.#adminHost];
    const origin = await this.#developmentCertificates?.ensure({ domain: this.#settings.domain, hosts });
    this.#caPath = origin?.owner === 'reveille' ? origin.caPath : undefined;
  }

  async #openManagement(fleet: Fleet, store: StateStore, mqtt: MqttService, socketPath: string): Promise<void> {
    const management = new ManagementServer({
      ...{ fleet, store, socketPath, bus: this.#bus, clock: this.#clock, log: this.#log },
      mqttState: () => ({ connected: mqtt.connected, dropped: mqtt.dropped, kind: mqtt.kind, url: mqtt.address }),
      token: () => this.#settings.adminToken ?? this.#adminToken,
      adminHost: this.#adminHost,
      publicUrl: (host) => this.#publicUrl(host),
      development: this.#development,
      runtimeNotice: () => this.#notice,
    });
    await management.start();
    this.#ends('management', () => management.close());
  }

  async #openDataHalf(
    link: Fleet,
    certificates: CertificateStore,
    affinitySecret: Uint8Array,
    socketPath: string,
  ): Promise<ListeningPorts> {
    const { localIp, httpsPort, httpPort, trustedProxies, accessLog, domain } = this.#settings;
    const dataHalf = new DataHalf({
      ...{ link, certificates, clock: this.#clock, log: this.#log, development: this.#development },
      ...{ address: localIp, httpsPort, httpPort, trustedProxies, accessLog, affinitySecret },
      admin: { host: this.#adminHost, endpoint: { host: socketPath, port: 0 } },
      listenerLimits: listenerLimitsOf(this.#settings),
      forwardLimits: forwardLimitsOf(this.#settings),
      notice: () => this.#notice,
    });
    this.#dataHalf = dataHalf;
    this.#ends('proxy', () => dataHalf.close(this.#settings.drainTimeoutMs));
    const ports = await dataHalf.start();
    const { port } = ports.https;
    Object.assign(this.#instanceEnvironment, { REVEILLE_DOMAIN: domain, REVEILLE_HTTPS_PORT: String(port) });
    return ports;
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
    this.#ends('gateway', () => Promise.resolve(unsubscribe()));
  }

  async #watchConfig(fleet: Fleet, files: readonly string[]): Promise<void> {
    const { envFile, environment, dotenvText } = this.#options;
    const tools = {
      ...{ envFile, environment, log: this.#log },
      applyManifest: (settings: Settings, text: string) => this.#applyManifest(fleet, watcher, settings, text),
      applySettings: (settings: Settings) => this.#applySettings(settings),
      onRefused: (detail: string) => this.#bus.emit('manifest.refused', 'proxy', { detail }),
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
    this.#ends('watcher', () => watcher.close());
  }

  async #applyManifest(fleet: Fleet, watcher: ConfigWatcher, settings: Settings, dotenvText: string): Promise<void> {
    const { manifest, files } = await this.#loadManifest(settings, dotenvText);
    watcher.setManifestFiles(files);
    await this.#certify(manifest);
    this.#manifest = manifest;
    await fleet.apply(manifest);
  }

  /** Only what needs no restart is taken over. */
  #applySettings({ logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands }: Settings): void {
    const live = { logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands };
    this.#settings = { ...this.#settings, ...live };
    this.#log.level = logLevel;
    this.#dataHalf?.apply(live);
  }

  #loadManifest(settings: Settings, dotenvText: string): Promise<LoadedManifest> {
    const { manifest, domain, dockerFilePort: defaultPort } = settings;
    const env = settingsEnvironment(this.#options.environment, dotenvText);
    return loadManifest(manifest, { domain, defaultPort, env, reservedHosts: [this.#adminHost] });
  }

  async #developmentCa(): Promise<string | undefined> {
    return this.#caPath === undefined ? undefined : readFile(this.#caPath, 'utf8');
  }

  #publicUrl(host: string): string {
    const port = this.#dataHalf?.httpsPort ?? this.#settings.httpsPort;
    return `https://${host}${port === 443 ? '' : `:${port}`}`;
  }

  #report({ https, http }: ListeningPorts, runtime: Runtime, store: StateStore, mqtt: MqttService): void {
    const { adminToken, adminSubdomain, stateDir } = this.#settings;
    const report = startupReport({
      services: this.#manifest.values(),
      publicUrl: (host) => this.#publicUrl(host),
      adminHost: this.#adminHost,
      tokenFile: adminToken === undefined ? `${stateDir}/admin-token` : undefined,
      runtime: runtime.condition.up ? runtime.kind : `${runtime.kind}, which does not answer: ${runtime.condition.reason}`,
      notice: this.#notice,
      broker: mqtt.address,
      store: store.kind,
      caPath: this.#caPath,
      fellBack: [https.fellBack, http?.fellBack].filter((error) => error !== undefined),
    });
    if (this.#settings.logFormat === 'pretty') process.stdout.write(`${report}\n`);
    else this.#log.info({ admin: adminSubdomain, port: https.port }, 'Reveille is up');
  }

  #ends(name: string, close: () => Promise<void>): void {
    this.#parts.unshift({ name, close });
  }

  async #endAll(): Promise<void> {
    for (const { name, close } of this.#parts.splice(0)) {
      try {
        await close();
      } catch (error) {
        this.#log.warn({ err: error, part: name }, `${name} did not end in order: ${messageOf(error)}`);
      }
    }
  }
}

function hostsOf(manifest: Manifest): string[] {
  return [...manifest.values()].flatMap(({ routes }) => routes.map(({ host }) => host));
}

function listenerLimitsOf({ limits }: Settings): Partial<ListenerLimits> {
  return {
    handshakeTimeoutMs: limits.tlsHandshakeTimeoutMs,
    headersTimeoutMs: limits.headersTimeoutMs,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
    sessionIdleTimeoutMs: limits.keepAliveTimeoutMs,
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
