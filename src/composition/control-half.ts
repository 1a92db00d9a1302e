import { randomUUID } from 'node:crypto';
import { resolve } from 'node:path';
import pLimit from 'p-limit';
import { adminHostOf, controlSocketOf } from './addresses.ts';
import type { RefusedEdit } from '../config/refused-edit.ts';
import type { Manifest } from '../config/service-spec.ts';
import type { Settings } from '../config/settings.ts';
import { SharedCompany } from '../fleet/company/company.ts';
import { EventBus } from '../fleet/event-bus.ts';
import { Fleet } from '../fleet/fleet.ts';
import { Journal } from '../fleet/records/journal.ts';
import { Registry } from '../fleet/records/registry.ts';
import type { Runtime } from '../fleet/runtime.ts';
import type { StateStore } from '../fleet/state-store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { keepEvents, keepSamples, keepSessions } from './journal-feed.ts';
import type { Parts } from '../lib/parts.ts';
import { AddressList } from '../lib/address-list.ts';
import { keptSecret } from '../lib/secret-file.ts';
import { ManagementServer } from '../management/server.ts';
import type { Gauged } from '../metrics/gauges.ts';
import { Metrics } from '../metrics/metrics.ts';
import { logEvents } from '../messaging/event-log.ts';
import { MqttSetUp } from './mqtt-set-up.ts';
import { recallAlarms } from './recall-alarms.ts';
import { openRuntime } from './open-runtime.ts';
import { NetworkProber } from '../probes/network-prober.ts';
import { managedStore } from './managed-store.ts';
import { StoreKeeper } from './store-keeper.ts';
import { createStore } from '../stores/create-store.ts';

/** Of services that somebody else runs. Thousands at once would time out for want of our own time. */
const CHECKS_AT_ONCE = 100;

export interface ControlHalfOptions {
  readonly settings: () => Settings;
  readonly clock: Clock;
  readonly log: Logger;
  /** Where what is started is entered, to be ended in reverse order. */
  readonly parts: Parts;
  /** The port that clients use, once it is known. */
  readonly httpsPort: () => number;
  /** How many proxy processes are there; absent where both halves are one process. */
  readonly proxies?: () => number;
  /** The file of the authority that instances are to trust, in development. */
  readonly caPath: () => string | undefined;
}

interface Opened {
  readonly fleet: Fleet;
  readonly runtime: Runtime;
  readonly store: StateStore;
  readonly mqtt: MqttSetUp;
  readonly tokenFile: string;
}

/** Everything that decides what runs, and when: store, broker, runtime, fleet, management. The only place that names their drivers. */
export class ControlHalf {
  readonly #options: ControlHalfOptions;
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly bus: EventBus;
  /** Read by the runtimes whenever they make an instance; the port is known only once we listen. */
  readonly #instanceEnvironment: Record<string, string> = {};
  #manifest: Manifest = new Map();
  #notice: string | undefined;
  #refusedEdits: readonly RefusedEdit[] = [];
  readonly #metrics: Metrics;
  #opened: Opened | undefined;

  constructor(options: ControlHalfOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#log = options.log;
    this.bus = new EventBus(options.clock, options.log);
    const gauged = (): Gauged | undefined => this.#opened && { ...this.#opened, mqtt: this.#opened.mqtt.service };
    this.#metrics = new Metrics({ bus: this.bus, clock: options.clock, gauged });
  }

  /** What everyone should know about the runtime, such as that no engine answers. */
  get notice(): string | undefined {
    return this.#notice;
  }

  get manifest(): Manifest {
    return this.#manifest;
  }

  get adminHost(): string {
    return adminHostOf(this.#settings);
  }

  get fleet(): Fleet {
    return this.#open.fleet;
  }

  get runtime(): Runtime {
    return this.#open.runtime;
  }

  /** One line each, for the operator. */
  get facts(): { runtime: string; store: string; broker: string; tokenFile: string | undefined } {
    const { runtime, store, mqtt, tokenFile } = this.#open;
    const { condition, kind } = runtime;
    return {
      runtime: condition.up ? kind : `${kind}, which does not answer: ${condition.reason}`,
      store: store.kind,
      broker: mqtt.fact,
      tokenFile: this.#settings.adminToken === undefined ? tokenFile : undefined,
    };
  }

  get #settings(): Settings {
    return this.#options.settings();
  }

  get #development(): boolean {
    return this.#settings.env === 'development';
  }

  get #open(): Opened {
    if (!this.#opened) throw new Error('the control half is not open');
    return this.#opened;
  }

  /** Ready to be asked, but nothing is adopted or started yet. @throws CodedError */
  async open(manifest: Manifest): Promise<void> {
    this.#manifest = manifest;
    const stateDir = resolve(this.#settings.stateDir);
    const proxyId = (await keptSecret(resolve(stateDir, 'proxy-id'), 4)).slice(0, 8);
    const tokenFile = resolve(stateDir, 'admin-token');
    const token = await keptSecret(tokenFile, 24);
    const store = await this.#openStore();
    const journal = this.#openJournal(store, proxyId);
    logEvents(this.bus, this.#log);
    await this.#options.parts.start('metrics', this.#metrics);
    const mqtt = await this.#openMqtt(proxyId, store.kind === 'mongo');
    const { runtime, notice } = await openRuntime({
      ...{ settings: this.#settings, clock: this.#clock, log: this.#log, proxyId },
      environment: this.#instanceEnvironment,
      manifest: () => this.#manifest,
      caPath: this.#options.caPath,
    });
    this.#notice = notice;
    const fleet = this.#createFleet(runtime, store, mqtt, proxyId, journal);
    this.#opened = { fleet, runtime, store, mqtt, tokenFile };
    keepSamples(fleet.monitor, journal);
    await fleet.load(manifest);
    mqtt.loaded(fleet);
    await this.#openManagement(() => this.#settings.adminToken ?? token);
  }

  /** Adopts what runs and starts what must always run. */
  async start(): Promise<void> {
    const { domain } = this.#settings;
    const port = String(this.#options.httpsPort());
    Object.assign(this.#instanceEnvironment, { REVEILLE_DOMAIN: domain, REVEILLE_HTTPS_PORT: port });
    // A container gets the authority as a file of its own.
    const caPath = this.runtime.kind === 'process' ? this.#options.caPath() : undefined;
    if (caPath !== undefined) this.#instanceEnvironment['NODE_EXTRA_CA_CERTS'] = caPath;
    await this.fleet.start();
    this.#open.mqtt.started(this.fleet);
    void recallAlarms(this.fleet, this.#open.store, this.#log);
    await this.#keepStore();
  }

  async apply(manifest: Manifest): Promise<void> {
    this.#manifest = manifest;
    this.#open.mqtt.manifestApplied(manifest);
    await this.fleet.apply(manifest);
  }

  /** Takes over the settings that need no restart. */
  applySettings(): void {
    this.#opened?.mqtt.apply();
  }

  /** Whoever asks how the daemon is hears of these from now on. */
  showRefused(edits: readonly RefusedEdit[]): void {
    this.#refusedEdits = edits;
  }

  publicUrl(host: string): string {
    const port = this.#options.httpsPort();
    return `https://${host}${port === 443 ? '' : `:${port}`}`;
  }

  async #openStore(): Promise<StateStore> {
    const store = await createStore(this.#settings, this.#clock, this.#log);
    await this.#options.parts.start('store', store);
    return store;
  }

  #openJournal(store: StateStore, proxyId: string): Journal {
    const capacity = this.#settings.storeMaxPending;
    const journal = new Journal({ store, clock: this.#clock, log: this.#log, capacity });
    this.#options.parts.add('journal', () => journal.close());
    keepEvents(this.bus, journal, proxyId);
    return journal;
  }

  async #openMqtt(proxyId: string, shared: boolean): Promise<MqttSetUp> {
    const mqtt = new MqttSetUp({
      ...{ proxyId, shared, settings: this.#options.settings, parts: this.#options.parts },
      ...{ bus: this.bus, clock: this.#clock, log: this.#log },
      dashboardUrl: () => this.publicUrl(this.adminHost),
    });
    await mqtt.open(this.#manifest);
    return mqtt;
  }

  /** State is kept from the moment on that its database runs; nobody waits for that. */
  async #keepStore(): Promise<void> {
    const { fleet, store } = this.#open;
    const { mongoDbUri, domain } = this.#settings;
    const service = (): string | undefined => managedStore(this.#manifest, mongoDbUri, domain);
    const keeper = new StoreKeeper({ fleet, store, service, clock: this.#clock, log: this.#log });
    await this.#options.parts.start('store keeper', keeper);
  }

  #createFleet(runtime: Runtime, store: StateStore, mqtt: MqttSetUp, proxyId: string, journal: Journal): Fleet {
    const [clock, log, bus] = [this.#clock, this.#log, this.bus];
    const fleet = new Fleet({
      ...{ runtime, clock, log, bus },
      prober: new NetworkProber(),
      checks: pLimit(CHECKS_AT_ONCE),
      registry: new Registry({ store, clock, log, proxyId }),
      observers: [...mqtt.observers, this.#metrics],
      ...(store.kind === 'mongo' && { company: this.#companyOn(store, proxyId) }),
      onSessions: (reports) => keepSessions(journal, reports, this.#settings.sessionTtlMs),
      onTraffic: (report) => this.#metrics.count(report),
      drainTimeoutMs: () => this.#settings.drainTimeoutMs,
      showLogs: this.#development,
    });
    this.#options.parts.add('fleet', () => fleet.close());
    return fleet;
  }

  /** Other daemons may use the same database. One that was started again is not the one that it was. */
  #companyOn(store: StateStore, proxyId: string): SharedCompany {
    const processId = `${proxyId}-${randomUUID().slice(0, 8)}`;
    const { project } = this.#settings;
    const company = new SharedCompany({ store, clock: this.#clock, log: this.#log, project, processId });
    company.onElected(() => {
      if (this.#opened) void recallAlarms(this.fleet, store, this.#log);
    });
    return company;
  }

  async #openManagement(token: () => string): Promise<void> {
    const {
      fleet,
      store,
      mqtt: { service: mqtt },
    } = this.#open;
    const management = new ManagementServer({
      ...{
        fleet,
        store,
        token,
        socketPath: controlSocketOf(this.#settings),
        bus: this.bus,
        clock: this.#clock,
        log: this.#log,
      },
      mqttState: () => ({ kind: mqtt.kind, condition: mqtt.condition, dropped: mqtt.dropped, url: mqtt.address }),
      metrics: () => this.#metrics.scrape(),
      adminHost: this.adminHost,
      publicUrl: (host: string) => this.publicUrl(host),
      development: this.#development,
      runtimeNotice: () => this.#notice,
      refusedEdits: () => this.#refusedEdits,
      ...(this.#options.proxies && { proxies: this.#options.proxies }),
      trustedPeer: (address: string) => new AddressList(this.#settings.trustedProxies).has(address),
    });
    await this.#options.parts.start('management', management);
  }
}
