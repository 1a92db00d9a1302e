import { describe, expect, it } from 'vitest';
import {
  isServing,
  transition,
  type InstanceChange,
  type InstanceState,
} from '../../../../src/fleet/instance/instance-state.ts';

const endpoints = { 3_000: { host: '127.0.0.1', port: 20_001 } };
const failure = { code: 'instance_exited', detail: 'web-1 ended', logTail: [], atEpochMs: 1 };

const STATES: readonly InstanceState[] = [
  { kind: 'absent', since: 1 },
  { kind: 'stopped', since: 1 },
  { kind: 'paused', since: 1 },
  { kind: 'starting', since: 1 },
  { kind: 'probing', since: 1 },
  { kind: 'ready', since: 1, endpoints },
  { kind: 'unhealthy', since: 1, endpoints, reason: 'its HEALTHCHECK fails' },
  { kind: 'draining', since: 1, endpoints },
  { kind: 'stopping', since: 1 },
  { kind: 'completed', since: 1 },
  { kind: 'failed', since: 1, failure },
];

/** Where each change leads from which states; from all others it leads nowhere. */
const TABLE: readonly [InstanceChange, InstanceState['kind'], readonly InstanceState['kind'][] | 'any'][] = [
  [{ type: 'starting' }, 'starting', 'any'],
  [{ type: 'started' }, 'probing', ['starting']],
  [{ type: 'became-ready', endpoints }, 'ready', ['starting', 'probing']],
  [{ type: 'became-unhealthy', reason: 'slow' }, 'unhealthy', ['ready']],
  [{ type: 'recovered' }, 'ready', ['unhealthy']],
  [{ type: 'draining' }, 'draining', ['ready', 'unhealthy']],
  [{ type: 'drain-cancelled' }, 'ready', ['draining']],
  [{ type: 'stopping' }, 'stopping', 'any'],
  [{ type: 'died' }, 'stopped', 'any'],
  [{ type: 'paused' }, 'paused', 'any'],
  [{ type: 'removed' }, 'absent', 'any'],
  [{ type: 'completed' }, 'completed', 'any'],
  [{ type: 'failed', failure }, 'failed', 'any'],
];

describe('the life of an instance', () => {
  it.each(TABLE)('$type leads where it must, and nowhere else', (change, to, from) => {
    for (const state of STATES) {
      const after = transition(state, change, 2);
      if (from === 'any' || from.includes(state.kind)) expect(after.kind, state.kind).toBe(to);
      else expect(after, state.kind).toBe(state);
    }
  });

  it('keeps the reason of a start that failed when its end is seen', () => {
    const failed: InstanceState = { kind: 'failed', since: 1, failure };
    expect(transition(failed, { type: 'stopped' }, 2)).toBe(failed);
    for (const state of STATES) {
      const after = transition(state, { type: 'stopped' }, 2);
      if (state.kind !== 'failed') expect(after.kind, state.kind).toBe('stopped');
    }
  });

  it.each(['paused', 'stopped', 'removed', 'completed'] as const)(
    'does not begin %s anew when it is seen again',
    (type) => {
      const once = transition({ kind: 'stopping', since: 1 }, { type }, 2);
      expect(transition(once, { type }, 3)).toBe(once);
    },
  );

  it('dates every new state', () => {
    for (const [change] of TABLE) {
      for (const state of STATES) {
        const after = transition(state, change, 2);
        if (after.kind !== state.kind) expect(after.since).toBe(2);
      }
    }
  });

  it('keeps the address while it drains, and when the drain is taken back', () => {
    const draining = transition({ kind: 'ready', since: 1, endpoints }, { type: 'draining' }, 2);
    expect(draining).toEqual({ kind: 'draining', since: 2, endpoints });
    expect(transition(draining, { type: 'drain-cancelled' }, 3)).toEqual({ kind: 'ready', since: 3, endpoints });
  });

  it('serves when ready or unhealthy only', () => {
    expect(STATES.filter(isServing).map(({ kind }) => kind)).toEqual(['ready', 'unhealthy']);
  });
});
