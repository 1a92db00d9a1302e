import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../../src/fleet/event-bus.ts';
import type { FleetEvent } from '../../../src/fleet/events.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('EventBus', () => {
  let clock: FakeClock;
  let lines: string[];
  let heard: FleetEvent[];
  let bus: EventBus;
  beforeEach(() => {
    clock = new FakeClock();
    lines = [];
    heard = [];
    bus = busOf();
  });

  function busOf(): EventBus {
    return new EventBus(clock, pino({}, { write: (line) => void lines.push(line) }));
  }

  it('says what happened, to whom and when', () => {
    bus.subscribe((event) => heard.push(event));
    clock.advance(5);
    bus.emit('instance.died', 'web', { exitCode: 1 }, 'web-2');
    const atEpochMs = clock.epochMs();
    const expected = { type: 'instance.died', service: 'web', instanceId: 'web-2', atEpochMs, data: { exitCode: 1 } };
    expect(heard).toEqual([{ id: expect.any(String) as string, ...expected }]);
  });

  it('leaves out the instance where there is none', () => {
    bus.subscribe((event) => heard.push(event));
    bus.emit('service.awake', 'web');
    expect(heard[0]).not.toHaveProperty('instanceId');
    expect(heard[0]?.data).toEqual({});
  });

  it('gives ids that sort by time and that no other life of the daemon uses', () => {
    const other = busOf();
    for (const each of [bus, other]) each.subscribe((event) => heard.push(event));
    for (let n = 0; n < 12; n += 1) bus.emit('wake.requested', 'web');
    other.emit('wake.requested', 'web');
    const ids = heard.map(({ id }) => id);
    expect(ids.slice(0, 12)).toEqual(ids.slice(0, 12).sort());
    expect(new Set(ids).size).toBe(13);
  });

  it('tells the others although one listener throws, and logs that it did', () => {
    bus.subscribe(() => {
      throw new Error('broken listener');
    });
    bus.subscribe((event) => heard.push(event));
    expect(() => bus.emit('service.awake', 'web')).not.toThrow();
    bus.emit('service.asleep', 'web');
    expect(heard.map(({ type }) => type)).toEqual(['service.awake', 'service.asleep']);
    expect(lines).toHaveLength(2);
    expect(lines[0]).toContain('broken listener');
    expect(lines[0]).toContain('service.awake');
  });

  it('stops telling who has left, even one that leaves while it listens', () => {
    const leave = bus.subscribe((event) => {
      heard.push(event);
      leave();
    });
    bus.subscribe((event) => heard.push(event));
    bus.emit('service.awake', 'web');
    bus.emit('service.asleep', 'web');
    expect(heard.map(({ type }) => type)).toEqual(['service.awake', 'service.awake', 'service.asleep']);
  });
});
