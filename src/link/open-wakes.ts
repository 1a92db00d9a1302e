import type { Clock } from '../lib/clock.ts';
import { deferred, type Deferred } from '../lib/deferred.ts';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Failure } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';

interface OpenWake {
  readonly service: string;
  readonly outcome: Deferred<WakeTimings>;
  /** Monotonic; since when nobody is there who could wake it. */
  awaySinceMs: number | undefined;
  awayMs: number;
}

/** The wakes that were asked for and are not answered. They outlive a control process: the next one is asked again. */
export class OpenWakes {
  readonly #clock: Clock;
  readonly #ask: (id: number, service: string) => void;
  readonly #wakes = new Map<number, OpenWake>();
  #lastId = 0;
  #there = false;

  constructor(clock: Clock, ask: (id: number, service: string) => void) {
    this.#clock = clock;
    this.#ask = ask;
  }

  add(service: string): Promise<WakeTimings> {
    this.#lastId += 1;
    const outcome = deferred<WakeTimings>();
    const awaySinceMs = this.#there ? undefined : this.#clock.now();
    this.#wakes.set(this.#lastId, { service, outcome, awaySinceMs, awayMs: 0 });
    if (this.#there) this.#ask(this.#lastId, service);
    return outcome.promise;
  }

  /** The control process is there: everything open is asked for. */
  back(): void {
    this.#there = true;
    for (const [id, wake] of this.#wakes) {
      wake.awayMs += this.#clock.now() - (wake.awaySinceMs ?? this.#clock.now());
      wake.awaySinceMs = undefined;
      this.#ask(id, wake.service);
    }
  }

  away(): void {
    this.#there = false;
    for (const wake of this.#wakes.values()) wake.awaySinceMs ??= this.#clock.now();
  }

  woken(id: number, timings: WakeTimings): void {
    const wake = this.#take(id);
    wake?.outcome.resolve(wake.awayMs > 0 ? { ...timings, controlMs: wake.awayMs } : timings);
  }

  failed(id: number, failure: Failure): void {
    const wake = this.#take(id);
    wake?.outcome.reject(new WakeFailed(wake.service, failure));
  }

  /** The proxy ends: nobody waits for them any more. */
  giveUp(): void {
    for (const [id, { service }] of [...this.#wakes]) {
      const detail = `the proxy ended before ${service} was awake`;
      this.failed(id, { code: 'shutting_down', detail, logTail: [], atEpochMs: this.#clock.epochMs() });
    }
  }

  #take(id: number): OpenWake | undefined {
    const wake = this.#wakes.get(id);
    this.#wakes.delete(id);
    return wake;
  }
}
