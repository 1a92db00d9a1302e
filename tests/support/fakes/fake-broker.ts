import type { IncomingMessage, Subscription } from '../../../src/messaging/broker-connection.ts';
import type { Message } from '../../../src/messaging/outbox.ts';
import { Topics } from '../../../src/messaging/topics.ts';

type Listener = (message: IncomingMessage) => void;

/** A broker in memory: all hear all that is said in the same order, each when the test lets it. */
export class FakeBroker {
  readonly retained = new Map<string, string>();
  readonly said: string[] = [];
  readonly #clients = new Set<FakeMqtt>();

  connect(client: FakeMqtt): void {
    this.#clients.add(client);
  }

  leave(client: FakeMqtt): void {
    this.#clients.delete(client);
  }

  publish({ topic, payload, retain }: Message): void {
    this.said.push(`${topic} ${payload}`);
    if (retain) this.retained.set(topic, payload);
    for (const client of this.#clients) client.enqueue({ topic, payload: Buffer.from(payload), retain: false });
  }

  /** Lets everybody hear all that was said, and all that is said thereupon. */
  settle(): void {
    while ([...this.#clients].map((client) => client.hear()).some(Boolean));
  }
}

/** What a daemon has of an `MqttService` on that broker. */
export class FakeMqtt {
  readonly proxyId: string;
  readonly #broker: FakeBroker;
  readonly #statusTopic: string;
  readonly #subscriptions = new Map<Subscription, Listener>();
  readonly #onConnection = new Set<(connected: boolean) => void>();
  #queue: IncomingMessage[] = [];
  connected = false;
  readonly reconnects: string[] = [];
  /** The broker takes what it says, and shows it nothing. */
  deaf = false;

  constructor(broker: FakeBroker, proxyId: string) {
    this.#broker = broker;
    this.proxyId = proxyId;
    this.#statusTopic = new Topics('r').proxyStatus(proxyId);
  }

  connect(): void {
    this.connected = true;
    this.#broker.connect(this);
    for (const listener of this.#onConnection) listener(true);
    for (const { filter, retained } of this.#subscriptions.keys()) if (retained) this.#showRetained(filter);
    this.#broker.publish({ topic: this.#statusTopic, payload: 'online', retain: true });
  }

  /** The line is cut; the broker may notice that, and publish the will. */
  cut(noticed: boolean): void {
    this.connected = false;
    this.#broker.leave(this);
    this.#queue = [];
    if (noticed) this.#broker.publish({ topic: this.#statusTopic, payload: 'offline', retain: true });
    for (const listener of this.#onConnection) listener(false);
  }

  send(message: Message): void {
    if (this.connected) this.#broker.publish(message);
  }

  forget(): void {
    // Nothing waits here.
  }

  subscribe(subscription: Subscription, listener: Listener): () => void {
    this.#subscriptions.set(subscription, listener);
    return () => this.#subscriptions.delete(subscription);
  }

  onConnection(listener: (connected: boolean) => void): () => void {
    this.#onConnection.add(listener);
    return () => this.#onConnection.delete(listener);
  }

  reconnect(reason: string): void {
    this.reconnects.push(reason);
    this.cut(true);
  }

  enqueue(message: IncomingMessage): void {
    if (!this.deaf) this.#queue.push(message);
  }

  /** @returns whether there was anything */
  hear(): boolean {
    const message = this.#queue.shift();
    if (!message) return false;
    for (const [{ filter }, listener] of this.#subscriptions) if (matches(filter, message.topic)) listener(message);
    return true;
  }

  #showRetained(filter: string): void {
    for (const [topic, payload] of this.#broker.retained) {
      if (matches(filter, topic)) this.enqueue({ topic, payload: Buffer.from(payload), retain: true });
    }
  }
}

function matches(filter: string, topic: string): boolean {
  return new RegExp(`^${filter.replaceAll('+', '[^/]+')}$`).test(topic);
}
