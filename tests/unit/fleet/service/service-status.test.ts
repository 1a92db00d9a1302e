import { describe, expect, it } from 'vitest';
import type { InstanceState } from '../../../../src/fleet/instance/instance-state.ts';
import { statusOf, type StatusInput } from '../../../../src/fleet/service/service-status.ts';
import type { ServiceStatus } from '../../../../src/seam/fleet-view.ts';

const failure = { code: 'instance_exited', detail: 'web-1 ended', logTail: [], atEpochMs: 1 };

function states(...kinds: InstanceState['kind'][]): InstanceState[] {
  return kinds.map((kind) => ({ kind, since: 1, endpoints: {}, reason: '', failure }));
}

function status(kinds: InstanceState['kind'][], rest: Partial<StatusInput> = {}): ServiceStatus {
  return statusOf({ states: states(...kinds), desired: 1, waking: false, failure: undefined, ...rest });
}

describe('the status of a service', () => {
  it.each<[ServiceStatus, InstanceState['kind'][], Partial<StatusInput>]>([
    ['asleep', [], {}],
    ['asleep', ['absent'], {}],
    ['asleep', ['stopped', 'paused'], {}],
    ['waking', [], { waking: true }],
    ['waking', ['starting'], {}],
    ['waking', ['probing'], {}],
    ['waking', ['stopping'], { waking: true }],
    ['awake', ['ready'], {}],
    ['awake', ['ready', 'starting'], { desired: 2 }],
    ['awake', ['ready', 'stopped'], { desired: 2, waking: true }],
    ['awake', ['ready', 'ready'], {}],
    ['awake', ['ready', 'draining'], {}],
    ['awake', ['ready', 'draining'], { desired: 2 }],
    ['awake', ['ready', 'stopping'], { desired: 2 }],
    ['degraded', ['ready'], { desired: 2 }],
    ['degraded', ['ready', 'failed'], { desired: 2 }],
    ['degraded', ['ready', 'unhealthy'], { desired: 2 }],
    ['degraded', ['unhealthy'], {}],
    ['draining', ['draining'], {}],
    ['draining', ['stopping', 'stopped'], { desired: 2 }],
    ['failed', ['failed'], { failure }],
    ['failed', ['stopped'], { failure }],
    ['waking', ['failed'], { failure, waking: true }],
    ['awake', ['ready'], { failure }],
    ['completed', ['completed'], {}],
    ['waking', ['completed'], { waking: true }],
  ])('is %s with %j, %j', (expected, kinds, rest) => {
    expect(status(kinds, rest)).toBe(expected);
  });
});
