import type { Endpoint, Failure } from '../seam/fleet-view.ts';

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

/**
 * The life of an instance. Total: a change that makes no sense in a state (a late hint, say) leaves it as it is.
 * What was observed from outside (stopped, paused, removed, failed) is true whatever we thought before.
 */
export function transition(state: InstanceState, change: InstanceChange, since: number): InstanceState {
  switch (change.type) {
    case 'starting':
      return { kind: 'starting', since };
    case 'started':
      return state.kind === 'starting' ? { kind: 'probing', since } : state;
    case 'became-ready':
      return state.kind === 'starting' || state.kind === 'probing'
        ? { kind: 'ready', since, endpoints: change.endpoints }
        : state;
    case 'became-unhealthy':
      return state.kind === 'ready' ? { ...state, kind: 'unhealthy', since, reason: change.reason } : state;
    case 'recovered':
      return state.kind === 'unhealthy' ? { kind: 'ready', since, endpoints: state.endpoints } : state;
    case 'draining':
      return state.kind === 'ready' || state.kind === 'unhealthy'
        ? { kind: 'draining', since, endpoints: state.endpoints }
        : state;
    case 'drain-cancelled':
      return state.kind === 'draining' ? { kind: 'ready', since, endpoints: state.endpoints } : state;
    case 'stopping':
      return { kind: 'stopping', since };
    case 'removed':
      return { kind: 'absent', since };
    case 'died':
      return { kind: 'stopped', since };
    case 'stopped':
      return state.kind === 'stopped' || state.kind === 'failed' ? state : { kind: 'stopped', since };
    case 'paused':
    case 'completed':
      return state.kind === change.type ? state : { kind: change.type, since };
    case 'failed':
      return { kind: 'failed', since, failure: change.failure };
  }
}
