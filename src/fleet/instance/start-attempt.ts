import type { ServiceSpec } from '../../config/service-spec.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { deferred } from '../../lib/deferred.ts';
import { RuntimeError } from '../errors.ts';
import { failureOf, logTailOf } from './failures.ts';
import type { Readiness } from './readiness.ts';
import type { Exit, ObservedInstance, Runtime } from '../runtime.ts';

export interface StartTimings {
  /** Until the runtime called it started. */
  readonly startMs: number;
  /** From then until it served. */
  readonly readyMs: number;
}

export interface Started {
  readonly instance: ObservedInstance;
  readonly timings: StartTimings;
}

export interface StartTools {
  readonly runtime: Runtime;
  readonly readiness: Readiness;
  readonly clock: Clock;
  /** How long it may take to end when it has to be stopped. */
  readonly stopGraceMs: number;
}

/** Hints can get lost: while it starts, look whether it still runs at least this often. */
const LOOK_EVERY_MS = 1_000;
/** It is gone, and with it what it ended with. */
const UNKNOWN_EXIT: Exit = { code: -1, oomKilled: false };

/** One try to bring an instance to where it serves (or, a job, to its end). Use once. */
export class StartAttempt {
  readonly #spec: ServiceSpec;
  readonly #tools: StartTools;
  readonly #over = new AbortController();
  readonly #exit = deferred<Exit>();
  /** One that was paused has answered, and so runs. */
  readonly #thawed = deferred<ObservedInstance>();
  /** Whether one that was paused answers well by what it was asked when it was thawed. */
  #answers: Promise<boolean> = Promise.resolve(false);
  /** As it was when it was thawed, or began to run. */
  #instance: ObservedInstance | undefined;

  constructor(spec: ServiceSpec, tools: StartTools) {
    this.#spec = spec;
    this.#tools = tools;
    // Nobody may be waiting for it when it is rejected.
    this.#exit.promise.catch(() => undefined);
  }

  /** Gives up; `run` rejects with the reason. */
  cancel(reason: RuntimeError): void {
    this.#over.abort(reason);
  }

  /** Something happened to the instance: looks whether it has ended, or lost its address. Harmless at any time. */
  async look(): Promise<void> {
    if (!this.#instance) return;
    const { runtimeId, endpoints } = this.#instance;
    const observed = await this.#tools.runtime.inspect(runtimeId);
    if (observed?.state !== 'running' && observed?.state !== 'paused')
      this.#exit.resolve(observed?.exit ?? UNKNOWN_EXIT);
    // Nobody calls a job: what it has begun it ends.
    else if (this.#spec.job) return;
    else if (Object.keys(observed.endpoints).length < Object.keys(endpoints).length) this.cancel(this.#unplugged());
  }

  /**
   * @param begin makes it run (or finds it running) and returns it as it then is
   * @param onStarted called once it runs
   * @throws RuntimeError with the last log lines; what still runs is for `clear` to stop, which may take its time
   */
  async run(begin: () => Promise<ObservedInstance>, onStarted: () => void): Promise<Started> {
    const { clock } = this.#tools;
    const beganMs = clock.now();
    try {
      const begun = begin();
      const thawed = await Promise.race([begun.then(() => undefined), this.#thawed.promise]);
      if (thawed) {
        // Who has answered runs, whatever the engine says to it in the end.
        begun.catch(() => undefined);
        this.#over.signal.throwIfAborted();
        return { instance: thawed, timings: { startMs: clock.now() - beganMs, readyMs: 0 } };
      }
      const instance = await begun;
      this.#instance = instance;
      if (instance.state === 'exited') this.#exit.resolve(instance.exit ?? UNKNOWN_EXIT);
      const startedMs = clock.now();
      onStarted();
      await this.#untilReady(instance);
      return { instance, timings: { startMs: startedMs - beganMs, readyMs: clock.now() - startedMs } };
    } catch (error) {
      throw await this.#explain(error);
    } finally {
      this.#over.abort();
    }
  }

  /**
   * It is about to be made to run. One that is paused keeps its address and what it is sent meanwhile, so it is asked at
   * once: it answers as soon as it is thawed, which is sooner than the engine says so (5 of 19 ms, measured with Docker).
   */
  resumes(resting: ObservedInstance): void {
    if (resting.state !== 'paused') return;
    this.#instance = resting;
    this.#answers = this.#tools.readiness.answers(this.#spec, resting, this.#over.signal);
    void this.#answers.then((well) => well && this.#thawed.resolve({ ...resting, state: 'running' }));
  }

  async #untilReady(instance: ObservedInstance): Promise<void> {
    const { clock } = this.#tools;
    const { name, wake, job } = this.#spec;
    const timer = clock.after(wake.timeoutMs, () => this.cancel(this.#late()));
    const aborted = deferred<never>();
    const onAbort = (): void => aborted.reject(this.#over.signal.reason as Error);
    this.#over.signal.addEventListener('abort', onAbort, { once: true });
    void this.#keepLooking();
    try {
      this.#over.signal.throwIfAborted();
      const ended = this.#exit.promise.then((exit) => {
        if (!job || exit.code !== 0) throw exitError(name, exit, job);
      });
      if (job || instance.state === 'exited') await Promise.race([ended, aborted.promise]);
      else await Promise.race([this.#untilServes(instance), ended, aborted.promise]);
    } finally {
      timer.cancel();
    }
  }

  async #untilServes(instance: ObservedInstance): Promise<void> {
    if (await this.#answers) return;
    await this.#tools.readiness.untilReady(this.#spec, instance, this.#over.signal);
  }

  async #keepLooking(): Promise<void> {
    const { signal } = this.#over;
    for (;;) {
      await sleep(this.#tools.clock, LOOK_EVERY_MS, signal);
      if (signal.aborted) return;
      // The runtime may be away for a moment; the start has its own limit of time.
      await this.look().catch(() => undefined);
    }
  }

  /** After a failed `run`: leaves nothing running that does not serve. Never rejects. */
  async clear(): Promise<void> {
    const { runtime, stopGraceMs } = this.#tools;
    if (this.#instance) await runtime.stopInstance(this.#instance.runtimeId, stopGraceMs).catch(() => undefined);
  }

  /** Adds the last log lines. */
  async #explain(thrown: unknown): Promise<RuntimeError> {
    const { runtime, clock } = this.#tools;
    const { code, detail, logTail } = failureOf(this.#spec.name, thrown, clock);
    if (!this.#instance) return new RuntimeError(code as RuntimeError['code'], detail, { logTail, cause: thrown });
    const tail = logTail.length > 0 ? logTail : await logTailOf(runtime, this.#instance.runtimeId, clock);
    return new RuntimeError(code as RuntimeError['code'], detail, { logTail: tail, cause: thrown });
  }

  #unplugged(): RuntimeError {
    const message = `${this.#spec.name} lost its address while it started; look who took it off its network`;
    return new RuntimeError('start_failed', message);
  }

  #late(): RuntimeError {
    const { name, wake } = this.#spec;
    const message = `${name} was started but not ready within ${wake.timeoutMs / 1000} s; see its log, \`readiness\` and wake.timeout`;
    return new RuntimeError('not_ready_in_time', message);
  }
}

/** Why a start came to nothing: what was started has ended. */
export function exitError(service: string, { code, oomKilled }: Exit, job: boolean): RuntimeError {
  if (oomKilled) {
    const message = `${service} ran out of memory while it started; raise resources.memory`;
    return new RuntimeError('out_of_memory', message);
  }
  if (job) return new RuntimeError('job_failed', `the job ${service} ended with exit code ${code}; see its log`);
  const message = `${service} ended with exit code ${code} before it was ready; see its log`;
  return new RuntimeError('instance_exited', message);
}
