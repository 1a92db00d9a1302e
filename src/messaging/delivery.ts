import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { BrokerConnection } from './broker-connection.ts';
import { Outbox, type Message } from './outbox.ts';

/** A wake tells half a dozen things while somebody waits for its answer, which may take less than this. */
const GATHER_MS = 50;

export interface DeliveryTools {
  readonly clock: Clock;
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
  /** What has been said just now, in its order; nothing without a connection. */
  #gathered: Message[] = [];
  #timer: Timer | undefined;
  #onDrained: (() => void) | undefined;

  constructor(tools: DeliveryTools) {
    this.#tools = tools;
  }

  /** How many messages were given up. */
  get dropped(): number {
    return this.#outbox.dropped;
  }

  /**
   * From now on what is sent goes out over this connection, and at once what waits.
   * @param retained what the broker may not know any more; it goes first
   */
  begin(connection: Pick<BrokerConnection, 'ready' | 'publish'>, retained: readonly Message[]): void {
    this.#connection = connection;
    for (const message of retained) this.#outbox.put(message);
    this.#pump();
  }

  /** The connection is over. */
  end(): void {
    this.#connection = undefined;
    this.#outbox.giveBack([...this.#inFlight]);
    this.#inFlight.clear();
    this.#post();
    this.#onDrained?.();
  }

  /** They go out a moment later, so that no request waits for the work of telling about it, or wait for a connection. */
  send(...messages: readonly Message[]): void {
    this.#gathered.push(...messages);
    if (this.#connection === undefined) this.#post();
    else this.#timer ??= this.#tools.clock.after(GATHER_MS, () => this.#post());
  }

  /** What is retained under the topic is for others to say. */
  forget(topic: string): void {
    this.#gathered = this.#gathered.filter((message) => !message.retain || message.topic !== topic);
    this.#outbox.forget(topic);
  }

  /** Counts a message that cannot be sent. */
  drop(): void {
    this.#outbox.drop();
  }

  /** Resolves when nothing is on its way any more, or the connection is over. */
  drained(): Promise<void> {
    this.#post();
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onDrained = resolve));
  }

  /** In the order in which they were said, unless others wait already: then the outbox decides which goes first. */
  #post(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    for (const message of this.#gathered.splice(0)) {
      const inTurn = this.#outbox.isEmpty;
      this.#outbox.put(message);
      if (inTurn) this.#pump();
    }
    this.#pump();
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
