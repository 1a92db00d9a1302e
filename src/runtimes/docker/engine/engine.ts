import Docker, { type DockerVersion } from 'dockerode';
import type { Clock } from '../../../lib/clock.ts';
import { deferred } from '../../../lib/deferred.ts';
import { EngineTimeout, unavailable, unreachable } from './errors.ts';
import type { DockerHost } from './docker-host.ts';

export interface EngineOptions {
  readonly host: DockerHost;
  readonly clock: Clock;
  /** How long a call may take that is no stream, in milliseconds. */
  readonly callTimeoutMs: number;
}

type Ask<T> = (options: { abortSignal: AbortSignal }) => Promise<T>;

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

  /** The same with the bare error, for the connection itself; `giveUp` ends the wait at once. */
  async attempt<T>(
    work: (signal: AbortSignal) => Promise<T>,
    timeoutMs = this.#callTimeoutMs,
    giveUp?: AbortSignal,
  ): Promise<T> {
    const abort = new AbortController();
    // Raced as well as aborted: some calls of dockerode do not heed the signal.
    const late = deferred<never>();
    const end = (): void => {
      late.reject(new EngineTimeout(`no answer in ${timeoutMs} ms`));
      abort.abort();
    };
    const timer = this.#clock.after(timeoutMs, end);
    if (giveUp?.aborted) end();
    giveUp?.addEventListener('abort', end, { once: true });
    const working = work(abort.signal);
    working.catch(() => undefined);
    try {
      return await Promise.race([working, late.promise]);
    } finally {
      timer.cancel();
      giveUp?.removeEventListener('abort', end);
    }
  }

  /** The types of dockerode know these three without the options that they take. */
  ping(abortSignal: AbortSignal): Promise<unknown> {
    return (this.docker.ping.bind(this.docker) as Ask<unknown>)({ abortSignal });
  }

  info(abortSignal: AbortSignal): Promise<unknown> {
    return (this.docker.info.bind(this.docker) as Ask<unknown>)({ abortSignal });
  }

  version(abortSignal: AbortSignal): Promise<DockerVersion> {
    return (this.docker.version.bind(this.docker) as Ask<DockerVersion>)({ abortSignal });
  }
}
