import type { Logger } from '../lib/logger.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { Outbox, type Message } from './outbox.ts';

export interface DeliveryTools {
  readonly log: Logger;
  /** The broker has taken this message. */
  readonly onTaken: (message: Message) => void;
}

/**
 * What is on its way to the broker: it waits in the outbox, goes out as fast as the connection takes it, and waits again
 * when the connection ends before the broker has said that it has it.
 */
export class Delivery {
  readonly #tools: DeliveryTools;
  readonly #outbox = new Outbox();
  readonly #inFlight = new Set<Message>();
  #connection: Pick<BrokerConnection, 'ready' | 'publish'> | undefined;
  #onDrained: (() => void) | undefined;

  constructor(tools: DeliveryTools) {
    this.#tools = tools;
  }

  /** How many messages were given up. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  /** From now on what is sent goes out over this connection; what waits goes with the next that is sent. */
  begin(connection: Pick<BrokerConnection, 'ready' | 'publish'>): void {
    this.#connection = connection;
  }

  /** The connection is over. */
  end(): void {
    this.#connection = undefined;
    this.#outbox.giveBack([...this.#inFlight]);
    this.#inFlight.clear();
    this.#onDrained?.();
  }

  /** They go out at once, or wait. */
  send(...messages: readonly Message[]): void {
    for (const message of messages) this.#outbox.put(message);
    this.#pump();
  }

  /** What is retained under the topic is for others to say. */
  forget(topic: string): void {
    this.#outbox.forget(topic);
  }

  /** Counts a message that cannot be sent. */
  drop(): void {
    this.#outbox.drop();
  }

  /** Resolves when nothing is on its way any more, or the connection is over. */
  drained(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onDrained = resolve));
  }

  #pump(): void {
    while (this.#connection?.ready) {
      const message = this.#outbox.take();
      if (!message) return;
      this.#inFlight.add(message);
      this.#connection.publish(message, (refusal) => this.#onSettled(message, refusal));
    }
  }

  #onSettled(message: Message, refusal: string | undefined): void {
    this.#inFlight.delete(message);
    if (refusal === undefined) {
      this.#tools.onTaken(message);
    } else {
      this.#outbox.drop();
      this.#tools.log.warn({ topic: message.topic }, `the MQTT broker refused a message: ${refusal}`);
    }
    this.#pump();
    if (this.#inFlight.size === 0) this.#onDrained?.();
  }
}
