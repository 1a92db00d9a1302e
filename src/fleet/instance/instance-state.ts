import type { SleepTier } from '../../config/service-spec.ts';
import type { Endpoint, Failure } from '../../seam/fleet-view.ts';

type Endpoints = Readonly<Record<number, Endpoint>>;

/** Where one instance is in its life. `since` is the wall clock in milliseconds. */
export type InstanceState =
  | { readonly kind: 'absent'; readonly since: number }
  | { readonly kind: 'stopped'; readonly since: number }
  | { readonly kind: 'paused'; readonly since: number }
  | { readonly kind: 'starting'; readonly since: number }
  /** It runs but does not serve yet. */
  | { readonly kind: 'probing'; readonly since: number }
  | { readonly kind: 'ready'; readonly since: number; readonly endpoints: Endpoints }
  | { readonly kind: 'unhealthy'; readonly since: number; readonly endpoints: Endpoints; readonly reason: string }
  | { readonly kind: 'draining'; readonly since: number; readonly endpoints: Endpoints }
  | { readonly kind: 'stopping'; readonly since: number }
  | { readonly kind: 'completed'; readonly since: number }
  | { readonly kind: 'failed'; readonly since: number; readonly failure: Failure };

export type InstanceChange =
  | { readonly type: 'starting' }
  | { readonly type: 'started' }
  | { readonly type: 'became-ready'; readonly endpoints: Endpoints }
  | { readonly type: 'became-unhealthy'; readonly reason: string }
  | { readonly type: 'recovered' }
  | { readonly type: 'draining' }
  | { readonly type: 'drain-cancelled' }
  | { readonly type: 'stopping' }
  | { readonly type: 'stopped' }
  | { readonly type: 'died' }
  | { readonly type: 'paused' }
  | { readonly type: 'removed' }
  | { readonly type: 'completed' }
  | { readonly type: 'failed'; readonly failure: Failure };

type Of<T extends InstanceChange['type']> = Extract<InstanceChange, { type: T }>;
type Rules = {
  readonly [T in InstanceChange['type']]: (state: InstanceState, change: Of<T>, since: number) => InstanceState;
};

const RULES: Rules = {
  starting: (_, __, since) => ({ kind: 'starting', since }),
  started: (state, _, since) => (state.kind === 'starting' ? { kind: 'probing', since } : state),
  'became-ready': (state, { endpoints }, since) =>
    state.kind === 'starting' || state.kind === 'probing' ? { kind: 'ready', since, endpoints } : state,
  'became-unhealthy': (state, { reason }, since) =>
    state.kind === 'ready' ? { kind: 'unhealthy', since, endpoints: state.endpoints, reason } : state,
  recovered: (state, _, since) =>
    state.kind === 'unhealthy' ? { kind: 'ready', since, endpoints: state.endpoints } : state,
  draining: (state, _, since) =>
    state.kind === 'ready' || state.kind === 'unhealthy'
      ? { kind: 'draining', since, endpoints: state.endpoints }
      : state,
  'drain-cancelled': (state, _, since) =>
    state.kind === 'draining' ? { kind: 'ready', since, endpoints: state.endpoints } : state,
  stopping: (_, __, since) => ({ kind: 'stopping', since }),
  died: (_, __, since) => ({ kind: 'stopped', since }),
  // A start that failed ended stopped as well; its reason is worth keeping.
  stopped: (state, _, since) =>
    state.kind === 'stopped' || state.kind === 'failed' ? state : { kind: 'stopped', since },
  paused: (state, _, since) => (state.kind === 'paused' ? state : { kind: 'paused', since }),
  completed: (state, _, since) => (state.kind === 'completed' ? state : { kind: 'completed', since }),
  removed: (state, _, since) => (state.kind === 'absent' ? state : { kind: 'absent', since }),
  failed: (_, { failure }, since) => ({ kind: 'failed', since, failure }),
};

/**
 * The life of an instance. Total: a change that makes no sense in a state (a late hint, say) leaves it as it is.
 * What was observed from outside (stopped, paused, removed, failed) is true whatever we thought before.
 */
export function transition<T extends InstanceChange['type']>(
  state: InstanceState,
  change: Of<T>,
  since: number,
): InstanceState {
  return RULES[change.type](state, change, since);
}

/** Whether there is nothing of it that runs, and no reason why it should not. */
export function isResting({ kind }: InstanceState): boolean {
  return kind === 'absent' || kind === 'stopped' || kind === 'paused';
}

/** Whether it answers requests. */
export function isServing({ kind }: InstanceState): boolean {
  return kind === 'ready' || kind === 'unhealthy';
}

/** Whether it sleeps as deep already, or deeper. */
export function restsIn({ kind }: InstanceState, strategy: SleepTier['strategy']): boolean {
  if (kind === 'absent') return true;
  if (strategy !== 'remove' && (kind === 'stopped' || kind === 'completed' || kind === 'failed')) return true;
  return strategy === 'pause' && kind === 'paused';
}
