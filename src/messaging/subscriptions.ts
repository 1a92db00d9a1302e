import type { Logger } from '../lib/logger.ts';
import type { BrokerConnection, IncomingMessage, Subscription } from './broker-connection.ts';

type Listener = (message: IncomingMessage) => void;

/** Who listens to what. A broker forgets it with the connection, so that it is told again on each. */
export class Subscriptions {
  readonly #log: Logger;
  readonly #listeners = new Map<Subscription, Listener>();

  constructor(log: Logger) {
    this.#log = log;
  }

  add(subscription: Subscription, listener: Listener): void {
    this.#listeners.set(subscription, listener);
  }

  delete(subscription: Subscription): void {
    this.#listeners.delete(subscription);
  }

  hear(message: IncomingMessage): void {
    for (const [{ filter }, listener] of this.#listeners) if (matches(filter, message.topic)) listener(message);
  }

  tellAll(connection: BrokerConnection): void {
    for (const subscription of this.#listeners.keys()) this.tell(connection, subscription);
  }

  tell(connection: BrokerConnection, subscription: Subscription): void {
    const { filter } = subscription;
    connection.subscribe(subscription, (refusal) => {
      if (refusal === undefined || subscription.optional) return;
      this.#log.warn({ filter }, `the MQTT broker refuses the subscription to ${filter}: ${refusal}`);
    });
  }
}

/** Whether a filter whose only wildcards are "+" takes the topic. */
function matches(filter: string, topic: string): boolean {
  const levels = topic.split('/');
  const wanted = filter.split('/');
  return levels.length === wanted.length && wanted.every((each, index) => each === '+' || each === levels[index]);
}
