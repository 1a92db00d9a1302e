import { resolve } from 'node:path';
import type { Manifest } from '../config/service-spec.ts';
import type { Settings } from '../config/settings.ts';
import type { EventBus } from '../fleet/event-bus.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { MemberObserver } from '../fleet/member.ts';
import { sleep, type Clock } from '../lib/clock.ts';
import { deferred } from '../lib/deferred.ts';
import type { Logger } from '../lib/logger.ts';
import { packageVersion } from '../lib/package-version.ts';
import type { Parts } from '../lib/parts.ts';
import { CommandTopics } from '../messaging/command-topics.ts';
import { EmbeddedBroker } from '../messaging/embedded-broker.ts';
import { HomeAssistant, withdrawDiscovery } from '../messaging/home-assistant.ts';
import type { Announcer } from '../messaging/home-assistant-config.ts';
import { managedBroker, type ManagedBroker } from '../messaging/managed-broker.ts';
import { MqttService, type BrokerOptions } from '../messaging/mqtt-service.ts';
import { Speaker } from '../messaging/speaker.ts';
import { StatusPublisher } from '../messaging/status-publisher.ts';
import { Topics } from '../messaging/topics.ts';
import { UsagePublisher } from '../messaging/usage-publisher.ts';

export interface MqttSetUpTools {
  readonly settings: () => Settings;
  readonly proxyId: string;
  /** Whether other daemons of this project may look after the same services, and use the same broker. */
  readonly shared: boolean;
  readonly dashboardUrl: () => string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly parts: Parts;
}

/** Ports above MQTT_PORT that development may take instead. */
const FALLBACK_PORTS = 20;
/** A runtime that does not answer by then, or an instance that does not serve, is no reason to tell nothing. */
const ADOPT_WITHIN_MS = 5_000;

/** All that speaks MQTT, put together: which broker it is, who tells it what, and who listens. */
export class MqttSetUp {
  readonly #tools: MqttSetUpTools;
  readonly #topics: Topics;
  /** What runs a managed broker; there once the fleet has adopted what runs. */
  readonly #running = deferred<Fleet>();
  #managed: ManagedBroker | undefined;
  #service: MqttService | undefined;
  #homeAssistant: HomeAssistant | undefined;
  #commands: CommandTopics | undefined;
  #status: StatusPublisher | undefined;
  #speaker: Speaker | undefined;
  #fleet: Fleet | undefined;

  /** @throws ConfigError */
  constructor(tools: MqttSetUpTools) {
    this.#tools = tools;
    this.#topics = new Topics(tools.settings().mqttTopicRoot);
  }

  get service(): MqttService {
    if (!this.#service) throw new Error('MQTT is not set up');
    return this.#service;
  }

  /** Which broker it is, in one line for the operator. */
  get fact(): string {
    const { address, kind } = this.service;
    if (this.#managed) return `${address} (the service ${this.#managed.service})`;
    return kind === 'embedded' ? `${address} (embedded)` : address;
  }

  /** Who wants to hear of every change of the fleet. */
  get observers(): readonly MemberObserver[] {
    const { clock, proxyId } = this.#tools;
    const speaker = this.#speaker && { speaker: this.#speaker };
    this.#status = new StatusPublisher({ mqtt: this.service, clock, proxyId, ...speaker });
    return this.#homeAssistant ? [this.#homeAssistant, this.#status] : [this.#status];
  }

  /** Begins to connect, and waits for nobody but the embedded broker. @throws CodedError when that cannot listen */
  async open(manifest: Manifest): Promise<void> {
    const { settings, proxyId, bus, clock, log, parts, dashboardUrl } = this.#tools;
    const { mqttBrokerUrl, mqttPort, mqttDiscovery, domain } = settings();
    this.#managed = mqttBrokerUrl === undefined ? managedBroker(manifest, mqttPort) : undefined;
    const broker = await this.#broker();
    const service = new MqttService({ broker, topics: this.#topics, proxyId, bus, clock, log });
    this.#service = service;
    // Before there is a connection, so that nothing said on it is missed.
    if (this.#tools.shared) await this.#listenForSpeakers(service);
    await parts.start('mqtt', service);
    if (mqttDiscovery === undefined) {
      withdrawDiscovery(service, { topics: this.#topics, proxyId });
      return;
    }
    const version = packageVersion();
    const announcer = (): Announcer => ({
      ...{ topics: this.#topics, proxyId, domain, version },
      dashboardUrl: dashboardUrl(),
    });
    this.#homeAssistant = new HomeAssistant(service, announcer);
  }

  /** The fleet knows its manifest: it can be told what to do. */
  loaded(fleet: Fleet): void {
    const { clock, log, settings } = this.#tools;
    const shared = this.#speaker && { shared: { project: settings().project, speaker: this.#speaker } };
    this.#commands = new CommandTopics({ mqtt: this.service, topics: this.#topics, fleet, clock, log, ...shared });
    this.#fleet = fleet;
    this.apply();
  }

  /** The fleet has adopted what runs, and the daemon listens: the broker can be woken, and URLs are known. */
  started(fleet: Fleet): void {
    this.#homeAssistant?.start();
    if (this.#homeAssistant) this.#publishUsage(fleet);
    this.#running.resolve(fleet);
    void this.#tellOnceAdopted(fleet);
  }

  /** Takes over the settings that need no restart. */
  apply(): void {
    const { mqttCommands } = this.#tools.settings();
    this.#commands?.accept(mqttCommands);
    this.#homeAssistant?.commandsAccepted(mqttCommands);
  }

  /** A broker that comes or goes with an edit of the manifest is not changed over while the daemon runs. */
  manifestApplied(manifest: Manifest): void {
    const { settings, log } = this.#tools;
    if (settings().mqttBrokerUrl !== undefined) return;
    const now = managedBroker(manifest, settings().mqttPort);
    if (now?.url === this.#managed?.url && now?.service === this.#managed?.service) return;
    log.warn('restart needed: another service publishes MQTT_PORT, and so is the broker');
  }

  #publishUsage(fleet: Fleet): void {
    const { clock, parts } = this.#tools;
    const speaks = (): boolean => this.#speaker?.speaks ?? true;
    const usage = new UsagePublisher({ mqtt: this.service, topics: this.#topics, fleet, clock, speaks });
    void parts.start('usage', usage);
  }

  async #listenForSpeakers(mqtt: MqttService): Promise<void> {
    const { settings, proxyId, clock, log, parts } = this.#tools;
    const inCharge = (orNobody: boolean): boolean => this.#fleet?.inCharge(orNobody) ?? false;
    const { project } = settings();
    this.#speaker = new Speaker({ mqtt, topics: this.#topics, project, proxyId, inCharge, clock, log });
    await parts.start('speaker', this.#speaker);
  }

  /** Somebody who starts up among running services must not tell for a moment that all of them sleep. */
  async #tellOnceAdopted(fleet: Fleet): Promise<void> {
    await Promise.race([fleet.adopted(), sleep(this.#tools.clock, ADOPT_WITHIN_MS)]);
    this.#status?.start();
    this.#speaker?.ready();
  }

  async #broker(): Promise<BrokerOptions> {
    const { mqttBrokerUrl, mqttCaFile, mqttCertFile, mqttKeyFile } = this.#tools.settings();
    if (mqttBrokerUrl !== undefined) {
      const tls = {
        ...(mqttCaFile !== undefined && { caFile: resolve(mqttCaFile) }),
        ...(mqttCertFile !== undefined && { certFile: resolve(mqttCertFile) }),
        ...(mqttKeyFile !== undefined && { keyFile: resolve(mqttKeyFile) }),
      };
      return { kind: 'external', url: mqttBrokerUrl, tls };
    }
    const managed = this.#managed;
    if (managed) return { kind: 'external', url: managed.url, wake: () => this.#wake(managed) };
    return { kind: 'embedded', url: await this.#openEmbedded() };
  }

  async #wake({ service }: ManagedBroker): Promise<void> {
    const fleet = await this.#running.promise;
    await fleet.member(service)?.wake('boot');
  }

  async #openEmbedded(): Promise<string> {
    const { settings, clock, log, parts } = this.#tools;
    const { env, mqttPort: port } = settings();
    const fallbackPorts = env === 'development' ? FALLBACK_PORTS : 0;
    const broker = new EmbeddedBroker({ port, fallbackPorts, clock, log });
    await parts.start('broker', broker);
    return broker.url;
  }
}
