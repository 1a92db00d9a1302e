import type { Message } from './outbox.ts';

/**
 * What the broker should retain under each topic that is ours to say. The broker may lose all of it (a restart without a
 * disk) and misses what is said while it is away: the whole picture is put to it on every connection.
 */
export class RetainedPicture {
  /** What is to be taken away stays, with an empty payload, until the broker has heard of it. */
  readonly #payloads = new Map<string, string>();

  /** One message for each topic. */
  get messages(): readonly Message[] {
    return Array.from(this.#payloads, ([topic, payload]) => ({ topic, payload, retain: true }));
  }

  /** An empty payload takes away what is retained (MQTT 5 section 3.3.1.3). @returns what tells it to the broker */
  say(topic: string, payload: string): Message {
    this.#payloads.set(topic, payload);
    return { topic, payload, retain: true };
  }

  /** Whether something should be retained under the topic. */
  says(topic: string): boolean {
    return (this.#payloads.get(topic) ?? '') !== '';
  }

  /** From now on it is for others to say. */
  forget(topic: string): void {
    this.#payloads.delete(topic);
  }

  /** The broker has this message: what was to be taken away by it is gone, unless something is to be there again. */
  heard({ topic, payload, retain }: Message): void {
    if (retain && payload === '' && this.#payloads.get(topic) === '') this.#payloads.delete(topic);
  }
}
