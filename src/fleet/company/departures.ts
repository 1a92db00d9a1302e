import type { Clock } from '../../lib/clock.ts';
import { Lane } from '../../lib/lane.ts';
import type { Neighbours, Word } from './neighbours.ts';
import { instanceId, type InstanceKey } from '../runtime.ts';
import type { DepartureRecord, ProcessRecord, StateStore } from '../state-store.ts';

/** An instance that is about to be stopped, paused or removed by this process. */
export interface Departure {
  /**
   * Resolves once no other process sends it anything more, and what each has in flight is known; sooner when the time
   * is up or the signal aborts.
   * @param urgent requests may be waiting for this: a store that takes long to pass it on is not waited for
   * @returns whether all have let go
   */
  untilLetGo(timeoutMs: number, urgent: boolean, signal: AbortSignal): Promise<boolean>;
  /** It has happened, or it will not. */
  end(): void;
}

/** How long the store may take to tell the others of what is urgent, and to say that there are no others. */
const TELL_WITHIN_MS = 3_000;
const TELL_ALONE_WITHIN_MS = 500;

/** The instances here, as far as the others stop or start them. */
export interface InstanceKeeper {
  /** It is offered to nobody from here on; resolves with the fleet version that shows it. */
  hold(key: InstanceKey): Promise<number>;
  /** Resolves once no data half of this process uses an older version. */
  untilSeen(version: number): Promise<void>;
  /** They are done with it: it has to be seen what it is now. */
  release(key: InstanceKey): Promise<void>;
  /** The one that was starting it has ended: what becomes of it is told here. */
  inherit(key: InstanceKey): void;
}

export interface DepartureTools {
  readonly store: StateStore;
  readonly clock: Clock;
  readonly processId: string;
  readonly keeper: InstanceKeeper;
  readonly neighbours: Neighbours;
}

interface Own {
  readonly record: DepartureRecord;
  /** The processes that have let go of it. */
  readonly letGo: Set<string>;
  readonly onWanted: () => void;
  /** Looks again whether all have let go. */
  look: () => void;
}

interface Foreign {
  readonly process: string;
  readonly key: InstanceKey;
  letGo: boolean;
  wanted: boolean;
}

/**
 * Nothing is stopped that another process may be sending a request to at this very moment: who stops it says so to all,
 * each takes it from his data halves and says that he has, and only then, if nothing is in flight, it is stopped. A
 * process that says nothing at all has ended.
 */
export class Departures {
  readonly #tools: DepartureTools;
  readonly #own = new Map<string, Own>();
  readonly #foreign = new Map<string, Foreign>();
  /** An instance is held and released in the order in which that was heard. */
  readonly #lanes = new Map<string, Lane>();
  #count = 0;

  constructor(tools: DepartureTools) {
    this.#tools = tools;
  }

  /** What this process has to say about it. */
  word(): Omit<Word, 'starting'> {
    const foreign = [...this.#foreign];
    return {
      departures: [...this.#own.values()].map(({ record }) => record),
      letGo: foreign.flatMap(([id, { letGo }]) => (letGo ? [id] : [])),
      wanted: foreign.flatMap(([id, { wanted }]) => (wanted ? [id] : [])),
    };
  }

  /** @param onWanted called when another process has requests that wait for the instance */
  begin({ service, index }: InstanceKey, onWanted: () => void): Departure {
    this.#count += 1;
    const id = `${this.#tools.processId}/${this.#count}`;
    const own: Own = { record: { id, service, index }, letGo: new Set(), onWanted, look: () => undefined };
    this.#own.set(id, own);
    return {
      untilLetGo: (timeoutMs, urgent, signal) => this.#untilLetGo(own, timeoutMs, urgent, signal),
      end: () => {
        this.#own.delete(id);
        if (this.#tools.store.condition.up) this.#tools.neighbours.tellQuietly();
      },
    };
  }

  /** Requests wait for an instance that another process is about to stop. */
  want(key: InstanceKey): void {
    const concerned = [...this.#foreign.values()].filter((each) => same(each.key, key) && !each.wanted);
    for (const each of concerned) each.wanted = true;
    if (concerned.length > 0) this.#tools.neighbours.tellQuietly();
  }

  heard({ _id: process, departures, letGo, wanted }: ProcessRecord): void {
    for (const [id, own] of this.#own) {
      if (wanted.includes(id)) own.onWanted();
      if (letGo.includes(id)) own.letGo.add(process);
      own.look();
    }
    const going = new Set(departures.map(({ id }) => id));
    for (const [id, foreign] of this.#foreign) if (foreign.process === process && !going.has(id)) this.#over(id);
    for (const each of departures) if (!this.#foreign.has(each.id)) this.#letGo(process, each);
  }

  gone(process: string): void {
    for (const [id, foreign] of this.#foreign) if (foreign.process === process) this.#over(id);
    for (const own of this.#own.values()) own.look();
  }

  async #untilLetGo(own: Own, timeoutMs: number, urgent: boolean, signal: AbortSignal): Promise<boolean> {
    const { store, clock, neighbours } = this.#tools;
    // While the store is away nobody can be asked: who was there may still be.
    if (!store.condition.up) return neighbours.ids.length === 0;
    const hasAll = (): boolean => neighbours.ids.every((id) => own.letGo.has(id));
    const tellWithinMs = neighbours.ids.length > 0 ? TELL_WITHIN_MS : TELL_ALONE_WITHIN_MS;
    let told = false;
    return new Promise<boolean>((resolve) => {
      const settle = (): void => {
        timer.cancel();
        tooSlow?.cancel();
        own.look = () => undefined;
        signal.removeEventListener('abort', settle);
        resolve(told && hasAll() && !signal.aborted);
      };
      const timer = clock.after(timeoutMs, settle);
      const tooSlow = urgent ? clock.after(tellWithinMs, () => !told && settle()) : undefined;
      signal.addEventListener('abort', settle, { once: true });
      own.look = () => {
        if (told && hasAll()) settle();
      };
      // Read after it was told: who begins only now reads it before he sends anything.
      void neighbours
        .tell()
        .then(() => neighbours.read())
        .then(() => (told = true), settle)
        .then(() => own.look());
      if (signal.aborted) settle();
    });
  }

  #letGo(process: string, { id, service, index }: DepartureRecord): void {
    const key = { service, index };
    const foreign: Foreign = { process, key, letGo: false, wanted: false };
    this.#foreign.set(id, foreign);
    const { keeper, neighbours } = this.#tools;
    void this.#laneOf(key)
      .run(() => keeper.hold(key))
      .then((version) => keeper.untilSeen(version))
      .then(() => {
        foreign.letGo = true;
        if (this.#foreign.has(id)) neighbours.tellQuietly();
      });
  }

  #over(id: string): void {
    const foreign = this.#foreign.get(id);
    this.#foreign.delete(id);
    if (!foreign) return;
    void this.#laneOf(foreign.key).run(async () => {
      if ([...this.#foreign.values()].some(({ key }) => same(key, foreign.key))) return;
      await this.#tools.keeper.release(foreign.key);
    });
  }

  #laneOf(key: InstanceKey): Lane {
    const id = instanceId(key);
    const lane = this.#lanes.get(id) ?? new Lane();
    this.#lanes.set(id, lane);
    return lane;
  }
}

function same(one: InstanceKey, other: InstanceKey): boolean {
  return one.service === other.service && one.index === other.index;
}
