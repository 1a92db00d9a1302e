import type { ServiceSpec } from '../../config/service-spec.ts';
import type { Timer } from '../../lib/clock.ts';
import { CodedError, messageOf } from '../../lib/coded-error.ts';
import { deferred } from '../../lib/deferred.ts';
import type { WakeTimings } from '../../seam/control-link.ts';
import type { WakeProgress } from '../../seam/fleet-view.ts';
import { WakeFailed } from '../../seam/wake-failed.ts';
import { RuntimeError } from '../errors.ts';
import type { StopReason, WakeReason } from '../events.ts';
import type { Instance } from '../instance/instance.ts';
import type { Prepared, PrepareProgress } from '../runtime.ts';
import type { ServiceTools } from './service-tools.ts';
import { WakeTracker } from './wake-progress.ts';

/** What is woken. */
export interface Wakeable {
  readonly name: string;
  readonly spec: ServiceSpec;
  /** Those that there are to be while it is awake. */
  readonly wanted: readonly Instance[];
  /** Tells, perhaps more than once, that an instance runs but is not ready yet. Returns the way out. */
  onStarted(tell: () => void): () => void;
}

/** Someone who waits longer than this after the start wants to see what the instance writes. */
const SHOW_LOGS_AFTER_MS = 300;

/** One wake of one service: dependencies, image, instances, in that order. Use once. */
export class Wake {
  readonly #service: Wakeable;
  readonly #tracker: WakeTracker;
  readonly #tools: ServiceTools;
  readonly #cancelled = new AbortController();
  #starts: readonly Promise<unknown>[] = [];

  constructor(service: Wakeable, onProgress: () => void, tools: ServiceTools) {
    this.#service = service;
    this.#tracker = new WakeTracker(tools.clock, onProgress);
    this.#tools = tools;
  }

  get progress(): WakeProgress {
    return this.#tracker.view();
  }

  cancel(reason: StopReason): void {
    const message = `${this.#service.name} was put to sleep (${reason}) while it woke`;
    this.#cancelled.abort(new RuntimeError('start_cancelled', message));
  }

  /** Resolves once every instance has been tried, with what kept some from serving. */
  async failures(): Promise<unknown[]> {
    const outcomes = await Promise.allSettled(this.#starts);
    return outcomes.flatMap((outcome): unknown[] => (outcome.status === 'rejected' ? [outcome.reason] : []));
  }

  /**
   * @param replace instances that serve from an old configuration: drained and made anew once the new image is there
   * @throws RuntimeError
   */
  async run(reason: WakeReason, replace: readonly Instance[]): Promise<WakeTimings> {
    const { clock, bus } = this.#tools;
    const { name, spec } = this.#service;
    bus.emit('wake.requested', name, { reason });
    const beganMs = clock.now();
    await this.#unlessCancelled(this.#wakeDependencies(Object.keys(spec.dependsOn)));
    const dependedMs = clock.now();
    const prepared = await this.#prepare(spec);
    const preparedMs = clock.now();
    this.#cancelled.signal.throwIfAborted();
    await Promise.all(replace.map((instance) => instance.sleep('remove', 'replaced')));
    const started = await this.#startInstances(spec, prepared);
    return {
      totalMs: clock.now() - beganMs,
      ...(Object.keys(spec.dependsOn).length > 0 && { dependenciesMs: dependedMs - beganMs }),
      ...(prepared.fresh && { buildMs: preparedMs - dependedMs }),
      ...started,
    };
  }

  /** What others may need as well goes on; this wake no longer waits for it. */
  #unlessCancelled<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#cancelled;
    const cancelled = deferred<never>();
    signal.addEventListener('abort', () => cancelled.reject(signal.reason as Error), { once: true });
    return Promise.race([work, cancelled.promise]);
  }

  async #wakeDependencies(names: readonly string[]): Promise<void> {
    if (names.length === 0) return;
    this.#tracker.enter('dependencies', `waking ${names.join(', ')}`);
    let done = 0;
    await Promise.all(
      names.map(async (name) => {
        try {
          await this.#tools.wakeDependency(this.#service.spec, name);
        } catch (error) {
          const message = `${this.#service.name} needs ${name}, which did not wake: ${messageOf(error)}`;
          // Whoever waits has no other way to what the dependency wrote last.
          const logTail = error instanceof WakeFailed ? error.failure.logTail : [];
          throw new RuntimeError('dependency_failed', message, { logTail, cause: error });
        }
        done += 1;
        this.#tracker.enter('dependencies', `${name} is ready`, done / names.length);
      }),
    );
  }

  async #prepare(spec: ServiceSpec): Promise<Prepared> {
    const { runtime, bus, clock } = this.#tools;
    const { name } = spec;
    const beganMs = clock.now();
    const built = new Set<PrepareProgress['phase']>();
    const onProgress = ({ phase, detail, ratio }: PrepareProgress): void => {
      if (phase === 'build' && !built.has(phase)) bus.emit('build.started', name);
      built.add(phase);
      this.#tracker.enter(phase, detail, ratio);
      this.#tracker.line(detail);
    };
    try {
      const creates = !this.#service.wanted.every((instance) => instance.isPausedAs(spec));
      const prepared = await runtime.prepare(spec, { onProgress, signal: this.#cancelled.signal, creates });
      if (built.has('build')) bus.emit('build.finished', name, { durationMs: Math.round(clock.now() - beganMs) });
      return prepared;
    } catch (error) {
      const code = error instanceof CodedError ? error.code : 'internal';
      const logTail = error instanceof RuntimeError ? error.logTail : [];
      if (code.startsWith('build_')) bus.emit('build.failed', name, { code, detail: messageOf(error), logTail });
      throw error;
    }
  }

  /** Resolves with the first that is ready; the others may follow. */
  async #startInstances(spec: ServiceSpec, prepared: Prepared): Promise<Partial<WakeTimings>> {
    this.#tracker.enter('start', 'starting');
    const { wanted } = this.#service;
    let showing: Timer | undefined;
    const over = new AbortController();
    const stopListening = this.#service.onStarted(() => {
      showing ??= this.#tools.clock.after(SHOW_LOGS_AFTER_MS, () => void this.#showLogs(wanted, over.signal));
    });
    try {
      const starts = wanted.map((instance) => instance.start(spec, prepared, this.#cancelled.signal));
      this.#starts = starts;
      const first = await Promise.any(starts);
      return first ?? {};
    } catch (error) {
      throw error instanceof AggregateError ? error.errors[0] : error;
    } finally {
      stopListening();
      showing?.cancel();
      over.abort();
    }
  }

  async #showLogs(instances: readonly Instance[], signal: AbortSignal): Promise<void> {
    this.#tracker.enter('ready', 'waiting until it answers', 0.3);
    const starting = instances.find(({ state }) => state.kind === 'probing');
    if (!this.#tools.showLogs || starting?.runtimeId === undefined) return;
    const options = { tail: 20, follow: true, latestRun: true, signal };
    try {
      for await (const { text } of this.#tools.runtime.logs(starting.runtimeId, options)) this.#tracker.line(text);
    } catch {
      // Those who wait see no log lines then; the wake itself goes on.
    }
  }
}
