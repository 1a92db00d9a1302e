import { describe, expect, it } from 'vitest';
import { engineTime } from '../../../../../src/runtimes/docker/engine/engine-traits.ts';
import { eventTime, toRuntimeEvent, type EngineEvent } from '../../../../../src/runtimes/docker/engine/event-mapper.ts';

function event(Action: string, project = 'demo'): EngineEvent {
  const Attributes = {
    'dev.reveille.managed': 'true',
    'dev.reveille.project': project,
    'dev.reveille.service': 'web',
    'dev.reveille.index': '2',
  };
  return {
    Type: 'container',
    Action,
    Actor: { ID: 'c1', Attributes },
    time: 1_700_000_000,
    timeNano: 1_700_000_000_123_456_800,
  };
}

const OURS = { project: 'demo', network: 'demo-net' };
const WHO = { key: { service: 'web', index: 2 }, runtimeId: 'c1' };

describe('an event of the engine', () => {
  it.each(['die', 'stop', 'pause', 'destroy'])('of the kind %s is a change', (action) => {
    expect(toRuntimeEvent(event(action), OURS)).toEqual({ type: 'changed', ...WHO });
  });

  it.each(['start', 'unpause'])('of the kind %s says that the instance began to run', (action) => {
    expect(toRuntimeEvent(event(action), OURS)).toEqual({ type: 'changed', ...WHO, began: true });
  });

  it('tells of memory and health', () => {
    expect(toRuntimeEvent(event('oom'), OURS)).toEqual({ type: 'oom', ...WHO });
    expect(toRuntimeEvent(event('health_status: healthy'), OURS)).toEqual({ type: 'health', healthy: true, ...WHO });
    expect(toRuntimeEvent(event('health_status: unhealthy'), OURS)).toEqual({
      type: 'health',
      healthy: false,
      ...WHO,
    });
  });

  it('of a network tells which container was taken off it', () => {
    const Actor = { ID: 'n1', Attributes: { container: 'c1', name: 'demo-net', type: 'bridge' } };
    expect(toRuntimeEvent({ Type: 'network', Action: 'disconnect', Actor }, OURS)).toEqual({
      type: 'unplugged',
      runtimeId: 'c1',
    });
    expect(toRuntimeEvent({ Type: 'network', Action: 'connect', Actor }, OURS)).toBeUndefined();
  });

  it('of a network that is not ours tells nothing, whoever was taken off it', () => {
    const Actor = { ID: 'n2', Attributes: { container: 'c1', name: 'other-net', type: 'bridge' } };
    expect(toRuntimeEvent({ Type: 'network', Action: 'disconnect', Actor }, OURS)).toBeUndefined();
  });

  it.each([event('exec_start: sh'), event('start', 'other'), { Type: 'network' }, {}])(
    '%j is not for the fleet',
    (one) => {
      expect(toRuntimeEvent(one, OURS)).toBeUndefined();
    },
  );

  it('gives the instant from which the next stream begins, never a later one', () => {
    expect(eventTime(event('start'))).toMatch(/^1700000000\.12345[67]000$/);
    expect(eventTime({ time: 12 })).toBe('12.000000000');
    expect(eventTime({})).toBeUndefined();
  });
});

describe('the clock of the engine', () => {
  it.each([
    ['2026-11-21T03:43:28.930455622Z', `${Date.parse('2026-11-21T03:43:28Z') / 1000}.930455622`],
    ['2026-11-21T03:43:28+01:00', `${Date.parse('2026-11-21T02:43:28Z') / 1000}.000000000`],
    [undefined, '0'],
  ])('%s is %s', (iso, expected) => {
    expect(engineTime(iso)).toBe(expected);
  });
});
