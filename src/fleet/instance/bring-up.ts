import type { ServiceSpec } from '../../config/service-spec.ts';
import { deferred } from '../../lib/deferred.ts';
import type { Lane } from '../../lib/lane.ts';
import { RuntimeError } from '../errors.ts';
import { failureOf } from './failures.ts';
import type { InstanceLife } from './instance-life.ts';
import { isServing } from './instance-state.ts';
import type { ObservedInstance, Prepared, StartedInstance } from '../runtime.ts';
import { StartAttempt, type StartTimings } from './start-attempt.ts';

type How = 'started' | 'adopted';

/**
 * What cannot go on after a pause is no failure of the service: it has lost its address meanwhile, or has ended, perhaps
 * because another process that wakes it as well has found that out sooner and stopped it.
 */
const CANNOT_GO_ON: ReadonlySet<string> = new Set(['start_failed', 'instance_exited']);

/** Brings one instance to where it serves: one that is started, or one that was found running. */
export class BringUp {
  readonly #life: InstanceLife;
  readonly #lane: Lane;
  readonly #free: () => Promise<void>;
  #attempt: StartAttempt | undefined;
  #adoption: Promise<void> = Promise.resolve();

  /** @param free resolves once no other process is putting it to sleep */
  constructor(life: InstanceLife, lane: Lane, free: () => Promise<void>) {
    this.#life = life;
    this.#lane = lane;
    this.#free = free;
  }

  /** The try that is under way. */
  get attempt(): StartAttempt | undefined {
    return this.#attempt;
  }

  /** Resolves once it is known whether what was found running serves. */
  get adoption(): Promise<void> {
    return this.#adoption;
  }

  /**
   * Ready when it resolves.
   * @param spec what was prepared, which the owner's newest may no longer be
   */
  start(spec: ServiceSpec, prepared: Prepared, cancelled: AbortSignal): Promise<StartTimings | undefined> {
    let kept: ObservedInstance | undefined;
    let told = false;
    // A second try belongs to the same start.
    const tell = (): void => {
      if (!told) this.#life.emit('instance.starting');
      told = true;
    };
    const begin = (paused?: ObservedInstance): Promise<ObservedInstance> => {
      // What it was doing before may have taken a while.
      cancelled.throwIfAborted();
      kept = paused && this.#life.isMadeFrom(paused, spec, prepared.imageId) ? paused : undefined;
      return this.#begin(spec, prepared, tell, kept);
    };
    return this.#run(begin, 'started', spec, tell).catch((error: unknown) => {
      if (!kept || !(error instanceof RuntimeError) || !CANNOT_GO_ON.has(error.code)) throw error;
      return this.#run(begin, 'started', spec, tell);
    });
  }

  /** Takes over one that was found running: it must serve before it counts, but is not started anew. The owner hears the outcome. */
  adopt(observed: ObservedInstance): void {
    const { owner, id } = this.#life;
    this.#life.startedElsewhere = true;
    this.#life.change({ type: 'starting' });
    this.#adoption = this.#run(() => Promise.resolve(observed), 'adopted', owner.spec).then(
      () => owner.adopted(id),
      (error: unknown) => owner.adopted(id, error),
    );
  }

  async #begin(
    spec: ServiceSpec,
    prepared: Prepared,
    tell: () => void,
    kept?: ObservedInstance,
  ): Promise<ObservedInstance> {
    const { runtime, company } = this.#life.tools;
    this.#life.startedElsewhere = false;
    const started = await this.#createAndStart(spec, prepared, kept).catch(async (error: unknown) => {
      // Another process may have made it anew in between: then its one is started, or runs already.
      const { runtimeId } = this.#life;
      if (runtimeId === undefined || (await runtime.inspect(runtimeId))) throw error;
      return this.#createAndStart(spec, prepared);
    });
    this.#life.startedHere = started.startedNow;
    this.#life.startedElsewhere = !started.startedNow;
    if (started.startedNow && !company.tellsOfStart(false)) tell();
    return started;
  }

  /** @param kept one that is paused, and is what would be made: it is not looked at once more */
  async #createAndStart(spec: ServiceSpec, prepared: Prepared, kept?: ObservedInstance): Promise<StartedInstance> {
    const { runtime, company } = this.#life.tools;
    const created = kept ?? (await runtime.create(spec, this.#life.key.index, prepared));
    this.#life.remember(created);
    // Where several processes may be thawing it, only the engine knows whose doing it was.
    if (company.tellsOfStart(false)) this.#attempt?.resumes(created);
    return runtime.startInstance(created.runtimeId, created);
  }

  /** @param tell that it is being started; absent where it runs already: those who count starts would count it twice */
  #run(
    begin: (paused?: ObservedInstance) => Promise<ObservedInstance>,
    how: How,
    spec: ServiceSpec,
    tell?: () => void,
  ): Promise<StartTimings | undefined> {
    const { id, key, tools } = this.#life;
    const { company, clock } = tools;
    const outcome = deferred<StartTimings | undefined>();
    void this.#lane.run(async () => {
      await this.#free();
      if (isServing(this.#life.state)) {
        outcome.resolve(undefined);
        return;
      }
      const attempt = new StartAttempt(spec, tools);
      this.#attempt = attempt;
      const { paused } = this.#life;
      const over = how === 'started' ? company.starts(key) : undefined;
      this.#life.change({ type: 'starting' });
      if (company.tellsOfStart(false)) tell?.();
      try {
        const { instance, timings } = await attempt
          .run(
            async () => begin(paused),
            () => this.#life.change({ type: 'started' }),
          )
          .finally(over);
        this.#broughtUp(instance, timings, how);
        outcome.resolve(timings);
      } catch (error) {
        const failure = failureOf(id, error, clock);
        this.#life.change(failure.code === 'start_cancelled' ? { type: 'stopped' } : { type: 'failed', failure });
        // Those who wait hear of it at once; whoever does not serve may take long to stop.
        outcome.reject(error as RuntimeError);
        await attempt.clear();
      } finally {
        this.#attempt = undefined;
      }
    });
    return outcome.promise;
  }

  #broughtUp(instance: ObservedInstance, timings: StartTimings, how: How): void {
    const { owner, tools } = this.#life;
    this.#life.remember(instance);
    if (owner.spec.job) {
      this.#life.change({ type: 'completed' });
      return;
    }
    this.#life.serves(instance);
    const [startMs, readyMs] = [Math.round(timings.startMs), Math.round(timings.readyMs)];
    const data = how === 'started' ? { startMs, readyMs } : { reason: 'adopted', readyMs };
    if (tools.company.tellsOfStart(!this.#life.startedElsewhere)) this.#life.emit('instance.ready', data);
  }
}
