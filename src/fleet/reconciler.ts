import { Lane } from '../lib/lane.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import { deferred } from '../lib/deferred.ts';
import type { Logger } from '../lib/logger.ts';
import type { Members } from './members.ts';
import { instanceId, type InstanceKey, type ObservedInstance, type Runtime, type RuntimeEvent } from './runtime.ts';
import type { Service } from './service/service.ts';

export interface ReconcilerTools {
  readonly runtime: Runtime;
  readonly clock: Clock;
  readonly log: Logger;
  readonly members: Members;
  /** Whether this process may remove what nobody owns. */
  readonly mayRemove: () => Promise<boolean>;
  /** The runtime went away or came back. */
  readonly onCondition: () => void;
}

const EVERY_MS = 60_000;

/**
 * Keeps what we think in line with what the runtime shows. Events are hints: each leads to an inspection;
 * everything is compared once a minute and whenever the runtime comes back.
 */
export class Reconciler {
  readonly #tools: ReconcilerTools;
  readonly #lane = new Lane();
  #timer: Timer | undefined;
  #unsubscribe: (() => void) | undefined;
  readonly #compared = deferred<undefined>();
  #closed = false;

  constructor(tools: ReconcilerTools) {
    this.#tools = tools;
  }

  start(): void {
    this.#unsubscribe = this.#tools.runtime.onEvent((event) => this.#heard(event));
    this.#again();
  }

  close(): void {
    this.#closed = true;
    this.#unsubscribe?.();
    this.#timer?.cancel();
  }

  /** Resolves once everything was compared for the first time. */
  get compared(): Promise<unknown> {
    return this.#compared.promise;
  }

  /** Compares everything. Adopts what runs, corrects what does not, removes what no service of the manifest owns. */
  reconcile(): Promise<void> {
    return this.#lane.run(async () => {
      const observed = await this.#tools.runtime.list();
      const seen = new Set(observed.map(({ key }) => instanceId(key)));
      const missing = this.#tools.members.services.flatMap((service) =>
        service.instances
          .filter(({ id, runtimeId }) => runtimeId !== undefined && !seen.has(id))
          .map(({ key }) => this.#quietly(service.name, () => service.observe(key.index, undefined))),
      );
      const copies = new Map<string, ObservedInstance[]>();
      for (const each of observed)
        copies.set(instanceId(each.key), [...(copies.get(instanceId(each.key)) ?? []), each]);
      await Promise.all([...missing, ...[...copies.values()].flatMap((same) => this.#compareCopies(same))]);
      this.#compared.resolve(undefined);
    });
  }

  /**
   * One instance may be there twice: a container that somebody renamed keeps its labels, and another one is made in its place.
   * Only one of them counts, or the end of the one would be taken for the end of the other.
   */
  #compareCopies(copies: readonly ObservedInstance[]): Promise<void>[] {
    const [chosen, ...others] = copies.toSorted((a, b) => this.#claim(b) - this.#claim(a));
    if (!chosen) return [];
    const removed = others.map((other) => this.#remove(other, 'another one serves in its place'));
    return [this.#compare(chosen), ...removed];
  }

  /** The one that we know comes first, then one that runs. */
  #claim({ key, runtimeId, state }: ObservedInstance): number {
    const known = this.#tools.members
      .service(key.service)
      ?.instances.find((instance) => instance.key.index === key.index);
    if (known?.runtimeId === runtimeId) return 2;
    return state === 'running' || state === 'paused' ? 1 : 0;
  }

  #compare(observed: ObservedInstance): Promise<void> {
    const { key } = observed;
    const service = this.#ownerOf(key);
    if (service) return this.#quietly(key.service, () => service.observe(key.index, observed));
    if (this.#tools.members.isLeaving(key.service)) return Promise.resolve();
    return this.#remove(observed, 'no service of the manifest owns it');
  }

  async #remove({ key, runtimeId }: ObservedInstance, why: string): Promise<void> {
    if (!(await this.#tools.mayRemove())) return;
    this.#tools.log.info({ instance: instanceId(key), runtimeId }, `removing ${instanceId(key)}: ${why}`);
    await this.#quietly(key.service, () => this.#tools.runtime.removeInstance(runtimeId));
  }

  /** Nobody owns what is above the limit of its service, unless the service knows it and takes care of it. */
  #ownerOf({ service: name, index }: InstanceKey): Service | undefined {
    const service = this.#tools.members.service(name);
    const known = service?.instances.some(({ key }) => key.index === index);
    return service && (known || index <= service.spec.scale.max) ? service : undefined;
  }

  #heard(event: RuntimeEvent): void {
    if (event.type === 'condition') {
      this.#tools.onCondition();
      if (event.condition.up) void this.#quietly('runtime', () => this.reconcile());
      return;
    }
    if (event.type === 'unplugged') {
      this.#unplugged(event.runtimeId);
      return;
    }
    const service = this.#ownerOf(event.key);
    if (!service) return;
    if (event.type === 'health') {
      service.instances.find(({ runtimeId }) => runtimeId === event.runtimeId)?.healthChanged(event.healthy);
    } else {
      const began = event.type === 'changed' && event.began === true;
      void this.#quietly(service.name, () => this.#inspect(service, event.key.index, event.runtimeId, began));
    }
  }

  /** What ends loses its address as well, and is heard of without this. */
  #unplugged(runtimeId: string): void {
    for (const service of this.#tools.members.services) {
      const instance = service.instances.find((each) => each.isUp(runtimeId));
      if (instance)
        void this.#quietly(service.name, () => this.#inspect(service, instance.key.index, runtimeId, false));
    }
  }

  async #inspect(service: Service, index: number, runtimeId: string, began: boolean): Promise<void> {
    const instance = service.instances.find(({ key }) => key.index === index);
    // That it runs is known of what serves, and of what is being started: somebody waits for the engine's other answers.
    if (began && (instance?.starting || instance?.serves(runtimeId))) return;
    if (instance?.starting) return instance.starting.look();
    const observed = await this.#tools.runtime.inspect(runtimeId);
    // The end of one that has already been replaced concerns nobody.
    const { runtimeId: current } = service.instance(index);
    if (current !== undefined && current !== runtimeId) return;
    await service.observe(index, observed);
  }

  #again(): void {
    this.#timer = this.#tools.clock.after(EVERY_MS, () => {
      const done = this.#tools.runtime.condition.up ? this.reconcile() : Promise.resolve();
      void this.#quietly('runtime', () => done).then(() => {
        if (!this.#closed) this.#again();
      });
    });
  }

  async #quietly(subject: string, task: () => Promise<unknown>): Promise<void> {
    try {
      await task();
    } catch (error) {
      this.#tools.log.warn({ subject, err: error }, `${subject} could not be brought in line: ${messageOf(error)}`);
    }
  }
}
