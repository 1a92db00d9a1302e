import { Agent } from 'node:https';
import type { HttpsClient } from './https-client.ts';

export interface LoadOutcome {
  readonly sent: number;
  /** What went wrong, one line for each request that failed. */
  readonly failures: readonly string[];
}

const CONNECTIONS = 20;
/**
 * A connection that was being handed to a worker of a cluster when that was killed is never answered, nor closed: Node's
 * cluster forgets it.
 */
const PATIENCE_MS = 60_000;

/** Requests at a steady pace over kept connections, each used in its turn, until it is told to stop. */
export class SteadyLoad {
  readonly #agent = new Agent({ keepAlive: true, maxSockets: CONNECTIONS, scheduling: 'fifo' });
  readonly #client: HttpsClient;
  readonly #host: string;
  readonly #failures: string[] = [];
  readonly #open = new Set<Promise<void>>();
  readonly #timer: NodeJS.Timeout;
  readonly #startedMs = performance.now();
  #sent = 0;

  constructor(client: HttpsClient, host: string, perSecond: number) {
    this.#client = client;
    this.#host = host;
    // A busy machine is late with timers: what should have been sent by now is.
    this.#timer = setInterval(() => {
      const due = ((performance.now() - this.#startedMs) / 1000) * perSecond;
      while (this.#sent < due) this.#send();
    }, 5);
  }

  get sent(): number {
    return this.#sent;
  }

  /** Resolves when all are answered. */
  async stop(): Promise<LoadOutcome> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    this.#agent.destroy();
    return { sent: this.#sent, failures: this.#failures };
  }

  #send(): void {
    this.#sent += 1;
    const n = this.#sent;
    const done = this.#client.ask(this.#host, { agent: this.#agent, signal: AbortSignal.timeout(PATIENCE_MS) }).then(
      ({ status, body }) => {
        if (status !== 200) this.#failures.push(`${n}: ${status} ${body.slice(0, 200)}`);
      },
      (error: unknown) => void this.#failures.push(`${n}: ${String(error)}`),
    );
    this.#open.add(done);
    void done.then(() => this.#open.delete(done));
  }
}
