import type { ServiceSpec } from '../../config/service-spec.ts';
import type { EventType } from '../events.ts';
import { transition, type InstanceChange, type InstanceState } from './instance-state.ts';
import type { InstanceOwner, InstanceTools } from './instance-tools.ts';
import { instanceId, type InstanceKey, type ObservedInstance } from '../runtime.ts';

/** What is known of one instance. Whoever changes its state here tells everyone concerned. */
export class InstanceLife {
  readonly key: InstanceKey;
  readonly id: string;
  readonly owner: InstanceOwner;
  readonly tools: InstanceTools;
  /** Whether it runs because this process has started it. */
  startedHere = false;
  /** Whether the latest start of it was somebody else's. */
  startedElsewhere = false;
  #state: InstanceState;
  #runtimeId: string | undefined;
  #seen: ObservedInstance | undefined;
  /** Monotonic. */
  #servesSinceMs = 0;

  constructor(key: InstanceKey, owner: InstanceOwner, tools: InstanceTools) {
    this.key = key;
    this.id = instanceId(key);
    this.owner = owner;
    this.tools = tools;
    this.#state = { kind: 'absent', since: tools.clock.epochMs() };
  }

  get state(): InstanceState {
    return this.#state;
  }

  get runtimeId(): string | undefined {
    return this.#runtimeId;
  }

  /** What it was made from; undefined until it has been seen. */
  get configHash(): string | undefined {
    return this.#seen?.configHash;
  }

  /** For how long it has served, in milliseconds. */
  get servedMs(): number {
    return this.tools.clock.now() - this.#servesSinceMs;
  }

  /** @returns the fleet version that shows it */
  change(change: InstanceChange): number {
    this.#state = transition(this.#state, change, this.tools.clock.epochMs());
    return this.owner.changed();
  }

  remember(observed: ObservedInstance): void {
    this.#runtimeId = observed.runtimeId;
    this.#seen = observed;
  }

  /** As it rests while it is paused, which changes nothing of it but its state. One that lost its address meanwhile does not count. */
  get paused(): ObservedInstance | undefined {
    const seen = this.#seen;
    if (this.#state.kind !== 'paused' || !seen || Object.keys(seen.endpoints).length === 0) return undefined;
    return { ...seen, state: 'paused' };
  }

  /** Whether it was made from this configuration and this image. */
  isMadeFrom({ imageId, configHash }: ObservedInstance, spec: ServiceSpec, wantedImageId: string): boolean {
    return imageId === wantedImageId && configHash === this.tools.runtime.configHash(spec);
  }

  /** It serves requests from now on. */
  serves({ endpoints }: ObservedInstance): void {
    this.#servesSinceMs = this.tools.clock.now();
    this.tools.activity.begin(this.key.service, this.id);
    this.change({ type: 'became-ready', endpoints });
  }

  /** The runtime has nothing of it any more. */
  removed(): void {
    this.#runtimeId = undefined;
  }

  /** Whether it answers elsewhere than we send requests to. */
  moved(observed: ObservedInstance): boolean {
    return 'endpoints' in this.#state && JSON.stringify(observed.endpoints) !== JSON.stringify(this.#state.endpoints);
  }

  emit(type: EventType, data: Record<string, unknown> = {}): void {
    this.tools.bus.emit(type, this.key.service, data, this.id);
  }
}
