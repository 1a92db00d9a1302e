import Docker from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import { EngineTimeout, unavailable, unreachable } from './errors.ts';
import type { DockerHost } from './docker-host.ts';

export interface EngineOptions {
  readonly host: DockerHost;
  readonly clock: Clock;
  /** How long a call may take that is no stream, in milliseconds. */
  readonly callTimeoutMs: number;
}

/** Dockerode with a bound on every wait, and with one error for an engine that does not answer. */
export class Engine {
  readonly docker: Docker;
  readonly address: string;
  readonly local: boolean;
  readonly #clock: Clock;
  readonly #callTimeoutMs: number;
  /** Told when a call found that the engine does not answer. */
  onUnreachable: () => void = () => undefined;

  constructor({ host, clock, callTimeoutMs }: EngineOptions) {
    this.docker = new Docker(host.options);
    this.address = host.address;
    this.local = host.local;
    this.#clock = clock;
    this.#callTimeoutMs = callTimeoutMs;
  }

  /**
   * Runs one call of the API. `work` hands the signal to dockerode as `abortSignal`.
   * Rejects with `RuntimeUnavailable` when the engine does not answer (in time), else with what dockerode said.
   */
  async call<T>(work: (signal: AbortSignal) => Promise<T>, timeoutMs = this.#callTimeoutMs): Promise<T> {
    try {
      return await this.attempt(work, timeoutMs);
    } catch (error) {
      const fault = unreachable(error, this.address);
      if (!fault) throw error;
      this.onUnreachable();
      throw unavailable(fault, error);
    }
  }

  /** The same with the bare error, for the connection itself. */
  async attempt<T>(work: (signal: AbortSignal) => Promise<T>, timeoutMs = this.#callTimeoutMs): Promise<T> {
    const abort = new AbortController();
    const timer = this.#clock.after(timeoutMs, () => abort.abort());
    try {
      return await work(abort.signal);
    } catch (error) {
      if (abort.signal.aborted) throw new EngineTimeout(`no answer in ${timeoutMs} ms`, { cause: error });
      throw error;
    } finally {
      timer.cancel();
    }
  }
}
