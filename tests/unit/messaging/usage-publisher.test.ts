import { beforeEach, describe, expect, it } from 'vitest';
import type { Member } from '../../../src/fleet/member.ts';
import type { Usage } from '../../../src/fleet/runtime.ts';
import { Topics } from '../../../src/messaging/topics.ts';
import { UsagePublisher } from '../../../src/messaging/usage-publisher.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('what services use, as it is told', () => {
  let clock: FakeClock;
  let mqtt: { connected: boolean; send: (message: { topic: string; payload: string; retain: boolean }) => void };
  let told: { topic: string; retain: boolean; usage: Record<string, unknown> }[];
  let usages: Record<string, Usage>;
  let publisher: UsagePublisher;

  beforeEach(() => {
    clock = new FakeClock();
    told = [];
    mqtt = {
      connected: true,
      send: ({ topic, payload, retain }) =>
        void told.push({ topic, retain, usage: JSON.parse(payload) as Record<string, unknown> }),
    };
    const instanceViews = [{ id: 'web-1' }, { id: 'web-2' }];
    usages = {};
    publisher = new UsagePublisher({
      ...{ mqtt, topics: new Topics('r'), clock, speaks: () => true },
      fleet: {
        members: () => [{ name: 'web', instanceViews } as unknown as Member],
        monitor: { usageOf: (_service: string, id: string) => usages[id] },
      },
    });
    publisher.start();
  });

  const uses = (cpuRatio: number | null, memoryBytes: number): Usage => {
    return { cpuRatio, memoryBytes, memoryLimitBytes: 1_000 };
  };

  it('is the mean of the CPU and the sum of the memory of its instances, every ten seconds', async () => {
    usages = { 'web-1': uses(0.5, 100), 'web-2': uses(0.25, 50) };
    await clock.advanceAsync(20_000);
    expect(told).toHaveLength(2);
    expect(told[0]).toMatchObject({
      ...{ topic: 'r/web/usage', retain: false },
      usage: { service: 'web', cpu: 37.5, memory: 150 },
    });
  });

  it('is null, once, when nothing of it runs any more, and nothing as long as nothing has run', async () => {
    await clock.advanceAsync(20_000);
    expect(told).toEqual([]);
    usages = { 'web-1': uses(null, 100) };
    await clock.advanceAsync(10_000);
    usages = {};
    await clock.advanceAsync(30_000);
    expect(told.map(({ usage: { cpu, memory } }) => [cpu, memory])).toEqual([
      [null, 100],
      [null, null],
    ]);
  });

  it('does not wait for a broker that is away', async () => {
    usages = { 'web-1': uses(0.5, 100) };
    mqtt.connected = false;
    await clock.advanceAsync(60_000);
    expect(told).toEqual([]);
    mqtt.connected = true;
    await clock.advanceAsync(10_000);
    expect(told).toHaveLength(1);
  });

  it('is told no more after the end', async () => {
    usages = { 'web-1': uses(0.5, 100) };
    publisher.close();
    await clock.advanceAsync(60_000);
    expect(told).toEqual([]);
  });
});
