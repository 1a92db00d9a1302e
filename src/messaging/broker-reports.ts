import type { Logger } from '../lib/logger.ts';

/** Why there is no connection to the broker, and what the log is told of it: once each way, whatever is tried meanwhile. */
export class BrokerReports {
  readonly #log: Logger;
  /** What the log has been told since the last connection. */
  readonly #told = new Set<string>();
  #reason = 'not connected yet';

  constructor(log: Logger) {
    this.#log = log;
  }

  get reason(): string {
    return this.#reason;
  }

  /** Nothing is tried before somebody has corrected it. */
  hopeless(reason: string): void {
    this.#reason = reason;
    this.#log.error(`${reason} Nothing is published until it is corrected and the daemon restarted.`);
  }

  connected(broker: string): void {
    this.#told.clear();
    this.#log.info({ broker }, 'connected to the MQTT broker');
  }

  /** One line when it goes; and one more for each thing that somebody has to correct, until there was a connection again. */
  lost(broker: string, reason: string, { wasConnected, passing }: { wasConnected: boolean; passing: boolean }): void {
    if (this.#told.size === 0 || !(passing || this.#told.has(reason))) {
      const what = wasConnected ? 'lost the MQTT broker' : 'cannot connect to the MQTT broker';
      this.#log.warn({ broker }, `${what}: ${reason}. It is tried again; services are not affected`);
    }
    this.#reason = reason;
    this.#told.add(reason);
  }
}
