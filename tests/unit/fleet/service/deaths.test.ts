import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../../src/config/service-spec.ts';
import type { FleetHarness } from '../../../support/set-ups/fleet.ts';
import { fleetSpec, startFleet, watch } from '../../../support/set-ups/fleet.ts';

function scaled(min: number, max = min): Partial<ServiceSpec> {
  return { scale: { min, max, cooldownMs: 60_000 } };
}

async function awake(changes: Partial<ServiceSpec> = {}): Promise<FleetHarness> {
  const harness = await startFleet(fleetSpec('web', changes));
  await harness.fleet.wake('web');
  harness.events.length = 0;
  return harness;
}

describe('an instance that dies', () => {
  it('is no longer offered, and is told with its exit code and its last lines', async () => {
    const harness = await awake();
    harness.runtime.write('web-1', 'Segmentation fault');
    harness.runtime.exit('web-1', 139);
    await harness.pass();
    expect(harness.data.view('web')).toMatchObject({
      status: 'failed',
      upstreams: [],
      failure: { code: 'instance_exited' },
    });
    const [died] = harness.eventsOf('instance.died');
    const detail = 'web-1 ended by itself with exit code 139; see its log';
    expect(died).toMatchObject({
      instanceId: 'web-1',
      data: { reason: 'error', code: 'instance_exited', detail, exitCode: 139, oomKilled: false },
    });
    expect(died?.data['logTail']).toEqual(['Segmentation fault']);
    expect(harness.eventsOf('service.failed')[0]?.data).toMatchObject({
      code: 'instance_exited',
      logTail: ['Segmentation fault'],
    });
    expect(harness.data.view('web').failure?.logTail).toEqual(['Segmentation fault']);
  });

  it('tells nothing of what the run before has written', async () => {
    const harness = await awake();
    harness.runtime.write('web-1', 'Segmentation fault');
    harness.runtime.exit('web-1', 139);
    await harness.pass();
    void harness.fleet.wake('web');
    await harness.pass(1_000);
    harness.runtime.write('web-1', 'Bus error');
    harness.runtime.exit('web-1', 135);
    await harness.pass();
    expect(harness.eventsOf('instance.died').at(-1)?.data).toMatchObject({ exitCode: 135, logTail: ['Bus error'] });
  });

  it('is started again by the next request only', async () => {
    const harness = await awake();
    harness.runtime.exit('web-1', 1);
    await harness.pass(60_000);
    expect(harness.runtime.starts('web')).toBe(1);
    await harness.fleet.wake('web');
    expect(harness.runtime.starts('web')).toBe(2);
    expect(harness.data.view('web').failure).toBeUndefined();
  });

  it('for want of memory is told as that first', async () => {
    const harness = await awake();
    harness.runtime.oom('web-1');
    await harness.pass();
    expect(harness.eventTypes('web')).toEqual(['instance.oom', 'instance.died', 'service.failed']);
    const data = { reason: 'resource_limit', code: 'out_of_memory', exitCode: 137, oomKilled: true, logTail: [] };
    expect(harness.eventsOf('instance.oom')[0]?.data).toMatchObject(data);
    expect(harness.eventsOf('instance.died')[0]?.data).toMatchObject(data);
    expect(harness.service('web').failure).toMatchObject({ code: 'out_of_memory' });
    expect(harness.service('web').failure?.detail).toContain('resources.memory');
  });

  it('of its own will, with exit code 0, has not failed', async () => {
    const harness = await awake();
    await harness.pass(20_000);
    harness.runtime.exit('web-1', 0);
    await harness.pass();
    expect(harness.eventTypes('web')).toEqual(['instance.died', 'service.asleep']);
    expect(harness.eventsOf('service.asleep')[0]?.data).toMatchObject({ reason: 'error' });
    expect(harness.data.view('web')).toMatchObject({ status: 'asleep', upstreams: [] });
  });

  it('and was not told of is found within a minute', async () => {
    const harness = await awake();
    harness.runtime.deaf(() => harness.runtime.exit('web-1', 1));
    await harness.pass(60_000);
    expect(harness.service('web').status).toBe('failed');
  });

  it('and whose log cannot be read is told all the same', async () => {
    const harness = await awake();
    const release = harness.runtime.hold('inspect');
    harness.runtime.exit('web-1', 1);
    release();
    harness.runtime.setCondition({ up: false, code: 'unreachable', reason: 'no socket' });
    await harness.pass();
    harness.runtime.setCondition({ up: true });
    await harness.pass();
    expect(harness.eventsOf('instance.died')).toHaveLength(1);
  });

  it('while it drains ends the drain', async () => {
    const harness = await awake();
    const end = harness.data.request('web');
    const sleep = watch(harness.service('web').sleep('operator', 'stop'));
    await harness.pass(100);
    harness.runtime.exit('web-1', 1);
    await harness.pass();
    end();
    await harness.pass();
    expect(sleep.value).toBe(true);
    expect(harness.states('web')).toEqual(['stopped']);
  });
});

describe('a service that must always run', () => {
  it('is brought back', async () => {
    const harness = await awake(scaled(1));
    await harness.pass(20_000);
    harness.runtime.exit('web-1', 1);
    await harness.pass(250);
    expect(harness.service('web').status).toBe('awake');
    expect(harness.runtime.starts('web')).toBe(2);
    const types = harness.eventTypes('web').sort();
    expect(types).toEqual(['instance.died', 'instance.ready', 'instance.starting', 'service.awake', 'wake.requested']);
  });

  it('is brought back ever more slowly when it dies each time', async () => {
    const harness = await awake(scaled(1));
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 1_000 } });
    harness.runtime.exit('web-1', 1);
    await harness.pass(10 * 60_000);
    expect(harness.runtime.starts('web')).toBeGreaterThan(5);
    expect(harness.runtime.starts('web')).toBeLessThan(16);
  });

  it('is not brought back once the fleet is closed', async () => {
    const harness = await awake(scaled(1));
    harness.runtime.exit('web-1', 1);
    await harness.pass();
    await harness.fleet.close();
    await harness.pass(60_000);
    expect(harness.runtime.starts('web')).toBe(1);
  });
});

describe('one of several that dies', () => {
  it('leaves the service degraded until it is back', async () => {
    const harness = await awake(scaled(2));
    await harness.pass(20_000);
    harness.runtime.behave('web', { startMs: 2_000 });
    harness.runtime.exit('web-2', 1);
    await harness.pass();
    expect(harness.data.view('web')).toMatchObject({ status: 'degraded', upstreams: [{ id: 'web-1' }] });
    await harness.pass(2_300);
    expect(harness.data.view('web').status).toBe('awake');
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
    expect(harness.eventsOf('service.failed')).toEqual([]);
    expect(harness.runtime.starts('web')).toBe(3);
  });

  it('does not disturb one that is unhealthy but serves', async () => {
    const harness = await awake(scaled(2));
    harness.runtime.health('web-1', false);
    harness.runtime.exit('web-2', 1);
    await harness.pass();
    expect(harness.data.offered('web')).toEqual(['web-1']);
    await harness.pass(1_000);
    expect(harness.states('web')).toEqual(['unhealthy', 'ready']);
  });

  it('again and again is not forgiven for the sake of the others', async () => {
    const harness = await awake(scaled(2));
    harness.runtime.behave('web', { exits: { code: 1, afterMs: 500 } });
    harness.runtime.exit('web-2', 1);
    await harness.pass(10 * 60_000);
    expect(harness.states('web')[0]).toBe('ready');
    expect(harness.runtime.starts('web')).toBeLessThan(18);
  });
});

describe('health', () => {
  it('that is lost and found is told, and an unhealthy instance is the last to be offered', async () => {
    const harness = await awake(scaled(2));
    harness.runtime.health('web-1', false);
    expect(harness.data.view('web')).toMatchObject({ status: 'degraded', upstreams: [{ id: 'web-2' }] });
    harness.runtime.health('web-2', false);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2']);
    harness.runtime.health('web-1', true);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.eventTypes('web')).toEqual(['instance.unhealthy', 'instance.unhealthy', 'instance.ready']);
  });

  it('of one that does not serve changes nothing', async () => {
    const harness = await awake();
    await harness.service('web').sleep('operator', 'stop');
    harness.runtime.health('web-1', false);
    expect(harness.states('web')).toEqual(['stopped']);
  });
});

describe('what somebody does by hand', () => {
  it('a pause is a sleep, and its end is a return', async () => {
    const harness = await awake();
    const { runtimeId } = harness.service('web').instance(1);
    await harness.runtime.pauseInstance(runtimeId!);
    await harness.pass();
    expect(harness.data.view('web')).toMatchObject({ status: 'asleep', upstreams: [] });
    await harness.runtime.startInstance(runtimeId!);
    await harness.pass();
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('a stop is an end like any other', async () => {
    const harness = await awake();
    await harness.runtime.stopInstance(harness.service('web').instance(1).runtimeId!, 0);
    await harness.pass();
    expect(harness.data.offered('web')).toEqual([]);
    expect(harness.eventsOf('instance.died')[0]?.data).toMatchObject({ exitCode: 0 });
  });

  it('a removal is seen, and the next wake makes it anew', async () => {
    const harness = await awake();
    await harness.runtime.removeInstance(harness.service('web').instance(1).runtimeId!);
    await harness.pass();
    expect(harness.data.offered('web')).toEqual([]);
    await harness.fleet.wake('web');
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('a start is taken over once it serves, and whatever had failed is forgotten', async () => {
    const harness = await awake();
    harness.runtime.exit('web-1', 1);
    await harness.pass();
    expect(harness.data.view('web').status).toBe('failed');
    harness.prober.refuse('web');
    await harness.runtime.startInstance(harness.service('web').instance(1).runtimeId!);
    await harness.pass(100);
    expect(harness.data.view('web')).toMatchObject({ status: 'waking', upstreams: [] });
    harness.prober.accept('web');
    await harness.pass(10);
    expect(harness.data.view('web')).toMatchObject({ status: 'awake', upstreams: [{ id: 'web-1' }] });
    expect(harness.data.view('web').failure).toBeUndefined();
  });

  it('a removal is called one, and not an end of its own', async () => {
    const harness = await awake();
    await harness.runtime.removeInstance(harness.service('web').instance(1).runtimeId!);
    await harness.pass(60_000);
    expect(harness.service('web').status).toBe('asleep');
    expect(harness.eventsOf('instance.died')[0]?.data).toMatchObject({
      detail: 'web-1 was removed by somebody else while it ran',
    });
  });

  it('a restart leads to the new address', async () => {
    const harness = await awake();
    const [before] = harness.data.upstreams('web');
    const { runtimeId } = harness.service('web').instance(1);
    await harness.runtime.stopInstance(runtimeId!, 0);
    await harness.runtime.startInstance(runtimeId!);
    await harness.pass();
    const [after] = harness.data.upstreams('web');
    expect(after?.endpoints).not.toEqual(before?.endpoints);
    expect(harness.service('web').status).toBe('awake');
  });
});
