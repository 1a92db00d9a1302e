import type { EventBus } from '../fleet/event-bus.ts';
import type { FleetEvent } from '../fleet/events.ts';
import { Backoff } from '../lib/backoff.ts';
import { sleep, type Clock, type Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { parseBrokerUrl, type BrokerAddress } from './broker-address.ts';
import { BrokerReports } from './broker-reports.ts';
import { BrokerConnection, type BrokerPatience, type IncomingMessage, type Subscription } from './broker-connection.ts';
import type { BrokerTlsFiles } from './broker-tls.ts';
import { clientIdOf } from './client-id.ts';
import { CLOUD_EVENT_CONTENT_TYPE, toCloudEvent, toNetworkMessage } from './cloud-event.ts';
import { Delivery } from './delivery.ts';
import type { Message } from './outbox.ts';
import { RetainedPicture } from './retained-picture.ts';
import type { ServiceStatusMessage } from './service-status-message.ts';
import { Subscriptions } from './subscriptions.ts';
import type { Topics } from './topics.ts';

/** A connection that held this long was a good one: the next failure is the first again. */
const steadyAfterMs = 10_000;
const defaultPatience: BrokerPatience = { connectMs: 10_000, acknowledgeMs: 30_000, farewellMs: 1_000 };

export interface MqttServiceOptions {
  readonly broker: BrokerOptions;
  readonly topics: Topics;
  /** Which daemon this is; stays the same across restarts. */
  readonly proxyId: string;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Between two tries, with jitter. */
  readonly reconnect?: { readonly initialMs: number; readonly maxMs: number };
  readonly patience?: BrokerPatience;
}

export interface BrokerOptions {
  /** The embedded broker speaks MQTT 3.1.1 only. */
  readonly kind: 'external' | 'embedded';
  /** MQTT_BROKER_URL, or where the embedded or the managed broker listens. */
  readonly url: string;
  /** Where the URL is one of TLS. */
  readonly tls?: BrokerTlsFiles;
  /** Asked before every try to connect: resolves when the broker serves. Why it does not is what it rejects with. */
  readonly wake?: () => Promise<void>;
}

type MqttCondition = { readonly up: true } | { readonly up: false; readonly reason: string };

/**
 * Tells a broker what happens in the fleet. The broker may be away at any time: nobody ever waits for it, what waits for
 * it is bounded, and when it is back the retained topics are made true first.
 */
export class MqttService {
  readonly #options: MqttServiceOptions;
  readonly #statusTopic: string;
  readonly #delivery: Delivery;
  readonly #backoff: Backoff;
  readonly #patience: BrokerPatience;
  readonly #picture = new RetainedPicture();
  readonly #subscriptions: Subscriptions;
  readonly #onConnection = new Set<(connected: boolean) => void>();
  readonly #reports: BrokerReports;
  #address: BrokerAddress | undefined;
  #connection: BrokerConnection | undefined;
  #connected = false;
  #upSince = 0;
  #retry: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  #closed = false;

  /** @throws CodedError for a proxy id that cannot be part of a topic */
  constructor(options: MqttServiceOptions) {
    this.#options = options;
    this.#statusTopic = options.topics.proxyStatus(options.proxyId);
    this.#subscriptions = new Subscriptions(options.log);
    this.#reports = new BrokerReports(options.log);
    this.#delivery = new Delivery({
      ...{ log: options.log, clock: options.clock },
      onTaken: (message) => this.#picture.heard(message),
    });
    this.#patience = options.patience ?? defaultPatience;
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

  /** Whether the broker is there, and if not, why. */
  get condition(): MqttCondition {
    return this.#connected ? { up: true } : { up: false, reason: this.#reports.reason };
  }

  /** How many messages were given up because the broker was away for too long or refused them. */
  get dropped(): number {
    return this.#delivery.dropped;
  }

  /** Begins to listen to the bus and to connect, and returns without waiting for either. */
  start(): void {
    if (this.#unsubscribe || this.#closed) return;
    this.#unsubscribe = this.#options.bus.subscribe((event) => this.#publishEvent(event));
    this.#picture.say(this.#statusTopic, 'online');
    try {
      this.#address = parseBrokerUrl(this.#options.broker.url);
      this.#connect(this.#address);
    } catch (error) {
      this.#reports.hopeless(messageOf(error));
    }
  }

  /** Makes this the retained status of the service. */
  publishStatus(status: ServiceStatusMessage): void {
    this.#attempt(status.service, () =>
      this.retain(this.#options.topics.serviceStatus(status.service), JSON.stringify(status)),
    );
  }

  /** Takes the retained status of a service away that is no longer in the manifest. */
  removeStatus(service: string): void {
    this.#attempt(service, () => this.retain(this.#options.topics.serviceStatus(service), ''));
  }

  /** Another daemon tells it from now on. */
  forgetStatus(service: string): void {
    this.#attempt(service, () => this.forget(this.#options.topics.serviceStatus(service)));
  }

  /** Makes this what the broker retains under the topic, now and after every reconnect; an empty payload takes it away. */
  retain(topic: string, payload: string): void {
    if (this.#closed) return;
    const message = this.#picture.say(topic, payload);
    // Without a connection the picture itself is what waits.
    if (this.#connected) this.send(message);
  }

  /** From now on it is for others to say what is retained under the topic. */
  forget(topic: string): void {
    this.#picture.forget(topic);
    this.#delivery.forget(topic);
  }

  /** Whether something should be retained under the topic, as far as we are concerned. */
  retains(topic: string): boolean {
    return this.#picture.says(topic);
  }

  /** Sends a message as soon as the broker is there. */
  send(message: Message): void {
    if (!this.#closed) this.#delivery.send(message);
  }

  /** Hears what others publish, whenever there is a connection; what they publish meanwhile is not heard. */
  subscribe(subscription: Subscription, listener: (message: IncomingMessage) => void): () => void {
    this.#subscriptions.add(subscription, listener);
    if (this.#connected && this.#connection) this.#subscriptions.tell(this.#connection, subscription);
    return () => {
      this.#subscriptions.delete(subscription);
      if (this.#connected) this.#connection?.unsubscribe(subscription.filter);
    };
  }

  /** Told of every connection and of its end; before anything is heard on it. */
  onConnection(listener: (connected: boolean) => void): () => void {
    this.#onConnection.add(listener);
    return () => this.#onConnection.delete(listener);
  }

  /** Gives the present connection up for a new one. */
  reconnect(reason: string): void {
    if (this.#connected) this.#connection?.abort(reason);
  }

  /** Sends what waits, says `offline` and ends the connection; never takes longer than twice `farewellMs`, two seconds. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#unsubscribe?.();
    this.#retry?.cancel();
    if (this.#connected)
      await Promise.race([this.#delivery.drained(), sleep(this.#options.clock, this.#patience.farewellMs)]);
    const connection = this.#connection;
    this.#connection = undefined;
    this.#connected = false;
    this.#delivery.end();
    await connection?.close(this.#proxyStatus('offline'), this.#patience.farewellMs);
  }

  #publishEvent(event: FleetEvent): void {
    this.#attempt(event.service, () => {
      const network = toNetworkMessage(event);
      const { topics } = this.#options;
      const topic = topics.serviceEvent(event.service, event.type);
      const payload = JSON.stringify(toCloudEvent(event, this.#options.proxyId));
      this.#delivery.send(
        { topic, payload, retain: false, contentType: CLOUD_EVENT_CONTENT_TYPE },
        { topic: topics.network, payload: JSON.stringify(network), retain: false },
      );
    });
  }

  /** What cannot be told stays untold: no fault of a payload may reach who reported it. */
  #attempt(service: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#delivery.drop();
      this.#options.log.warn(
        { service, reason: messageOf(error) },
        'a message about the service cannot be published over MQTT',
      );
    }
  }

  #connect(address: BrokerAddress): void {
    const { wake } = this.#options.broker;
    if (!wake) {
      this.#open(address);
      return;
    }
    wake().then(
      () => {
        if (!this.#closed) this.#open(address);
      },
      (error: unknown) => this.#onDown(address, messageOf(error), true),
    );
  }

  #open(address: BrokerAddress): void {
    const { broker, proxyId, clock } = this.#options;
    this.#connection = new BrokerConnection({
      ...{ address, clock, patience: this.#patience, tls: broker.tls ?? {} },
      protocolVersion: broker.kind === 'embedded' ? 4 : 5,
      clientId: clientIdOf(proxyId),
      will: this.#proxyStatus('offline'),
      onUp: () => this.#onUp(address),
      onDown: (reason, passing) => this.#onDown(address, reason, passing),
      onMessage: (message) => this.#subscriptions.hear(message),
    });
    this.#connection.open();
  }

  #onUp(address: BrokerAddress): void {
    this.#connected = true;
    this.#upSince = this.#options.clock.now();
    this.#reports.connected(address.label);
    for (const listener of this.#onConnection) listener(true);
    if (this.#connection) this.#subscriptions.tellAll(this.#connection);
    if (this.#connection) this.#delivery.begin(this.#connection, this.#picture.messages);
  }

  #onDown(address: BrokerAddress, reason: string, passing: boolean): void {
    const { clock } = this.#options;
    const wasConnected = this.#connected;
    this.#connected = false;
    if (wasConnected && clock.now() - this.#upSince >= steadyAfterMs) this.#backoff.reset();
    this.#delivery.end();
    if (wasConnected) for (const listener of this.#onConnection) listener(false);
    if (this.#closed) return;
    this.#reports.lost(address.label, reason, { wasConnected, passing });
    this.#retry = clock.after(this.#backoff.fail(), () => this.#connect(address));
  }

  #proxyStatus(payload: 'online' | 'offline'): Message {
    return { topic: this.#statusTopic, payload, retain: true };
  }
}
