import { createHash } from 'node:crypto';
import type { EventBus } from '../fleet/event-bus.ts';
import type { FleetEvent } from '../fleet/events.ts';
import { Backoff } from '../lib/backoff.ts';
import { sleep, type Clock, type Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { parseBrokerUrl, type BrokerAddress } from './broker-address.ts';
import { BrokerConnection } from './broker-connection.ts';
import { toCloudEvent, toNetworkMessage } from './cloud-event.ts';
import { Outbox, type Message } from './outbox.ts';
import type { ServiceStatusMessage } from './service-status-message.ts';
import { Topics } from './topics.ts';

/** A connection that held this long was a good one: the next failure is the first again. */
const steadyAfterMs = 10_000;
/** How long `close` waits for what still has to go out, and then for the goodbye. */
const drainMs = 1_000;
const goodbyeMs = 1_000;

export interface MqttServiceOptions {
  /** MQTT_BROKER_URL, or where the embedded broker listens; that one speaks MQTT 3.1.1 only. */
  readonly broker: { readonly kind: 'external' | 'embedded'; readonly url: string };
  /** MQTT_TOPIC_ROOT. */
  readonly topicRoot: string;
  /** Which daemon this is; stays the same across restarts. */
  readonly proxyId: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two tries, with jitter. */
  readonly reconnect?: { readonly initialMs: number; readonly maxMs: number };
}

/**
 * Tells a broker what happens in the fleet. The broker may be away at any time: nobody ever waits for it, what waits for
 * it is bounded, and when it is back the retained topics are made true first.
 */
export class MqttService {
  readonly #options: MqttServiceOptions;
  readonly #topics: Topics;
  readonly #statusTopic: string;
  readonly #outbox = new Outbox();
  readonly #backoff: Backoff;
  /** What every retained topic should say. A removed service stays, with an empty payload, until the broker has heard of it. */
  readonly #picture = new Map<string, string>();
  readonly #inFlight = new Set<Message>();
  #address: BrokerAddress | undefined;
  #connection: BrokerConnection | undefined;
  #connected = false;
  #upSince = 0;
  #lastReason: string | undefined;
  #retry: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #closed = false;
  #onDrained: (() => void) | undefined;

  /** @throws ConfigError for a topic root that cannot be used, CodedError for a proxy id that cannot */
  constructor(options: MqttServiceOptions) {
    this.#options = options;
    this.#topics = new Topics(options.topicRoot);
    this.#statusTopic = this.#topics.proxyStatus(options.proxyId);
    this.#backoff = new Backoff(options.reconnect ?? { initialMs: 500, maxMs: 30_000 });
  }

  get kind(): 'external' | 'embedded' {
    return this.#options.broker.kind;
  }

  /** The broker's address, without credentials. */
  get address(): string {
    return this.#address?.label ?? 'an address that cannot be used';
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** How many messages were given up because the broker was away for too long or refused them. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  /** Begins to listen to the bus and to connect, and returns without waiting for either. */
  start(): void {
    if (this.#unsubscribe || this.#closed) return;
    this.#unsubscribe = this.#options.bus.subscribe((event) => this.#publishEvent(event));
    this.#picture.set(this.#statusTopic, 'online');
    try {
      this.#address = parseBrokerUrl(this.#options.broker.url);
      this.#connect(this.#address);
    } catch (error) {
      this.#options.log.error(
        `${messageOf(error)} Nothing is published until it is corrected and the daemon restarted.`,
      );
    }
  }

  /** Makes this the retained status of the service. */
  publishStatus(status: ServiceStatusMessage): void {
    this.#attempt(status.service, () =>
      this.#retain(this.#topics.serviceStatus(status.service), JSON.stringify(status)),
    );
  }

  /** Takes the retained status of a service away that is no longer in the manifest. */
  removeStatus(service: string): void {
    this.#attempt(service, () => this.#retain(this.#topics.serviceStatus(service), ''));
  }

  /** Sends what waits, says `offline` and ends the connection; never takes longer than two seconds. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe?.();
    this.#retry?.cancel();
    if (this.#connected) await Promise.race([this.#drained(), sleep(this.#options.clock, drainMs)]);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#connected = false;
    await connection?.close(this.#proxyStatus('offline'), goodbyeMs);
  }

  #publishEvent(event: FleetEvent): void {
    this.#attempt(event.service, () => {
      const network = toNetworkMessage(event);
      const topic = this.#topics.serviceEvent(event.service, event.type);
      const payload = JSON.stringify(toCloudEvent(event, this.#options.proxyId));
      this.#outbox.put({ topic, payload, retain: false });
      this.#outbox.put({ topic: this.#topics.network, payload: JSON.stringify(network), retain: false });
      this.#pump();
    });
  }

  #retain(topic: string, payload: string): void {
    if (this.#closed) return;
    this.#picture.set(topic, payload);
    // Without a connection the picture itself is what waits.
    if (!this.#connected) return;
    this.#outbox.put({ topic, payload, retain: true });
    this.#pump();
  }

  /** What cannot be told stays untold: no fault of a payload may reach who reported it. */
  #attempt(service: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#outbox.drop();
      this.#options.log.warn(
        { service, reason: messageOf(error) },
        'a message about the service cannot be published over MQTT',
      );
    }
  }

  #connect(address: BrokerAddress): void {
    const { broker, proxyId, clock } = this.#options;
    this.#connection = new BrokerConnection({
      address,
      protocolVersion: broker.kind === 'embedded' ? 4 : 5,
      clientId: clientIdOf(proxyId),
      will: this.#proxyStatus('offline'),
      clock,
      onUp: () => this.#onUp(address),
      onDown: (reason) => this.#onDown(address, reason),
    });
    this.#connection.open();
  }

  #onUp(address: BrokerAddress): void {
    this.#connected = true;
    this.#upSince = this.#options.clock.now();
    this.#lastReason = undefined;
    this.#options.log.info({ broker: address.label }, 'connected to the MQTT broker');
    for (const [topic, payload] of this.#picture) this.#outbox.put({ topic, payload, retain: true });
    this.#pump();
  }

  #onDown(address: BrokerAddress, reason: string): void {
    const { clock, log } = this.#options;
    const wasConnected = this.#connected;
    this.#connected = false;
    if (wasConnected && clock.now() - this.#upSince >= steadyAfterMs) this.#backoff.reset();
    this.#outbox.giveBack([...this.#inFlight]);
    this.#inFlight.clear();
    this.#onDrained?.();
    if (this.#closed) return;
    if (reason !== this.#lastReason) {
      const what = wasConnected ? 'lost the MQTT broker' : 'cannot connect to the MQTT broker';
      log.warn({ broker: address.label }, `${what}: ${reason}. It is tried again; services are not affected`);
    }
    this.#lastReason = reason;
    this.#retry = clock.after(this.#backoff.fail(), () => this.#connect(address));
  }

  #pump(): void {
    while (this.#connected && this.#connection?.ready) {
      const message = this.#outbox.take();
      if (!message) return;
      this.#inFlight.add(message);
      this.#connection.publish(message, (refusal) => this.#onSettled(message, refusal));
    }
  }

  #onSettled(message: Message, refusal: string | undefined): void {
    this.#inFlight.delete(message);
    if (refusal !== undefined) {
      this.#outbox.drop();
      this.#options.log.warn({ topic: message.topic }, `the MQTT broker refused a message: ${refusal}`);
    } else if (message.retain && message.payload === '' && this.#picture.get(message.topic) === '') {
      this.#picture.delete(message.topic);
    }
    this.#pump();
    if (this.#inFlight.size === 0) this.#onDrained?.();
  }

  #drained(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onDrained = resolve));
  }

  #proxyStatus(payload: 'online' | 'offline'): Message {
    return { topic: this.#statusTopic, payload, retain: true };
  }
}

/**
 * The same after a restart, so that the broker ends a connection that a killed daemon left behind, and publishes its will,
 * before the new one says `online`. Within the 23 letters and digits that every broker takes (MQTT 3.1.1 section 3.1.3.1).
 */
function clientIdOf(proxyId: string): string {
  return `reveille${createHash('sha256').update(proxyId).digest('hex').slice(0, 15)}`;
}
