/** One publication: QoS 1, retained or not. */
export interface Message {
  readonly topic: string;
  readonly payload: string;
  readonly retain: boolean;
  /** What who asked wants to see again in the answer; MQTT 5 only. */
  readonly correlationData?: Buffer;
  /** What the payload is; MQTT 5 only. */
  readonly contentType?: string;
}

interface Queued extends Message {
  readonly tries: number;
}

export interface OutboxLimits {
  /** How many messages that are not retained may wait. */
  readonly messages: number;
  /** How many UTF-16 units of payload they may hold together. */
  readonly size: number;
  /** How often one message is sent again after a connection that ended before its acknowledgement. */
  readonly tries: number;
}

/**
 * What waits for the broker, and never more than its limits. Of a retained topic only the latest payload waits, and goes
 * first; of the rest the oldest are dropped and counted.
 */
export class Outbox {
  readonly #limits: OutboxLimits;
  readonly #retained = new Map<string, Message>();
  /** A Set keeps the order of arrival and gives up its oldest in constant time. */
  #events = new Set<Queued>();
  #size = 0;
  #dropped = 0;

  constructor(limits: OutboxLimits = { messages: 2000, size: 16_777_216, tries: 5 }) {
    this.#limits = limits;
  }

  /** How many messages were given up since the start. */
  get dropped(): number {
    return this.#dropped;
  }

  get isEmpty(): boolean {
    return this.#retained.size === 0 && this.#events.size === 0;
  }

  put(message: Message): void {
    if (message.retain) this.#retained.set(message.topic, message);
    else this.#enqueue({ ...message, tries: 0 });
    this.#trim();
  }

  /** The next message to send; whoever takes it brings it back by `giveBack` or it is gone. */
  take(): Message | undefined {
    for (const [topic, message] of this.#retained) {
      this.#retained.delete(topic);
      return message;
    }
    for (const message of this.#events) {
      this.#forget(message);
      return message;
    }
    return undefined;
  }

  /**
   * Puts messages that were taken and not acknowledged back to the front, in the order in which they were taken.
   * Retained ones are left out: after a lost connection the whole retained picture is put again.
   */
  giveBack(messages: readonly Message[]): void {
    const later = [...this.#events];
    this.#events = new Set();
    this.#size = 0;
    for (const message of messages) this.#giveBackOne(message);
    for (const message of later) this.#enqueue(message);
    this.#trim();
  }

  /** What is retained under the topic is for others to say. */
  forget(topic: string): void {
    this.#retained.delete(topic);
  }

  /** Counts a message that will never be sent. */
  drop(): void {
    this.#dropped += 1;
  }

  #giveBackOne(message: Message): void {
    if (message.retain) return;
    const tries = 'tries' in message && typeof message.tries === 'number' ? message.tries + 1 : 1;
    // A message at which the broker hangs up each time would keep all others from ever being sent.
    if (tries >= this.#limits.tries) this.#dropped += 1;
    else this.#enqueue({ ...message, tries });
  }

  #enqueue(message: Queued): void {
    this.#events.add(message);
    this.#size += message.payload.length;
  }

  #forget(message: Queued): void {
    this.#events.delete(message);
    this.#size -= message.payload.length;
  }

  #trim(): void {
    for (const oldest of this.#events) {
      if (this.#events.size <= this.#limits.messages && this.#size <= this.#limits.size) return;
      this.#forget(oldest);
      this.#dropped += 1;
    }
  }
}
