import { describe, expect, it } from 'vitest';
import { Metrics } from '../../../src/metrics/metrics.ts';
import { METRICS } from '../../../src/metrics/metric-table.ts';
import { DURATION_BOUNDS_SECONDS, type RequestCount } from '../../../src/seam/traffic-report.ts';
import { MetricsText } from '../../support/metrics-text.ts';
import { FleetHarness, fleetSpec, manifestOf } from '../../support/set-ups/fleet.ts';

const BUCKETS = DURATION_BOUNDS_SECONDS.length + 1;
const USAGE = { cpuRatio: 0.25, memoryBytes: 1_000, memoryLimitBytes: 4_000 };

function requests(changes: Partial<RequestCount> = {}): RequestCount {
  const buckets = [2, 1, ...Array<number>(BUCKETS - 2).fill(0)];
  return { service: 'web', method: 'GET', status: 200, count: 3, seconds: 0.005, buckets, ...changes };
}

describe('the metrics', () => {
  async function begin(...names: readonly string[]): Promise<{
    metrics: Metrics;
    harness: FleetHarness;
    mqtt: { condition: { up: boolean }; dropped: number };
    scrape: () => Promise<MetricsText>;
    text: () => Promise<string>;
  }> {
    const mqtt = { condition: { up: true }, dropped: 0 };
    const harness: FleetHarness = new FleetHarness({
      tools: {
        observers: [{ changed: () => undefined, removed: (name) => metrics.removed(name) }],
        onTraffic: (report) => metrics.count(report),
      },
    });
    const gauged = () => ({ fleet: harness.fleet, store: { condition: { up: false } }, mqtt });
    const metrics = new Metrics({ bus: harness.bus, clock: harness.clock, gauged });
    metrics.start();
    harness.runtime.behave(names[0] ?? 'web', { usage: USAGE });
    await harness.start(...names.map((name) => fleetSpec(name)));
    const text = async () => (await metrics.scrape()).text;
    return { metrics, harness, mqtt, text, scrape: async () => new MetricsText(await text()) };
  }

  const report = (...counts: readonly RequestCount[]) => ({ pid: 7, lagSeconds: 0, requests: counts, incidents: [] });

  it('sum up what data halves tell, as counters and cumulated histograms', async () => {
    const { metrics, scrape } = await begin('web');
    metrics.count(report(requests(), requests({ method: 'POST', status: 0 })));
    metrics.count(report(requests()));
    const all = await scrape();
    expect(all.value('requests_total', { service: 'web', method: 'GET', status: '200' })).toBe(6);
    expect(all.value('requests_total', { method: 'POST', status: 'other' })).toBe(3);
    const get = { service: 'web', method: 'GET', status: '200' };
    expect(all.value('request_duration_seconds_count', get)).toBe(6);
    expect(all.value('request_duration_seconds_sum', get)).toBe(0.01);
    const upTo = ['0.001', '0.005', '0.01', '+Inf'].map((le) =>
      all.value('request_duration_seconds_bucket', { ...get, le }),
    );
    expect(upTo).toEqual([4, 6, 6, 6]);
  });

  it('tell what was sent away, what failed and what was tried again apart', async () => {
    const { metrics, scrape } = await begin('web');
    const incidents = (['retry', 'waiting_room_full', 'upstream_reset'] as const).map((incident, index) => {
      return { service: 'web', incident, count: index + 1 };
    });
    metrics.count({ ...report(), incidents });
    const all = await scrape();
    expect(all.value('retries_total', { service: 'web' })).toBe(1);
    expect(all.value('shed_total', { service: 'web', reason: 'waiting_room_full' })).toBe(2);
    expect(all.value('upstream_errors_total', { service: 'web', kind: 'upstream_reset' })).toBe(3);
    expect([all.value('shed_total'), all.value('upstream_errors_total')]).toEqual([2, 3]);
  });

  it('keep nothing of a service that there is not, and forget one that leaves', async () => {
    const { metrics, harness, scrape } = await begin('web', 'api');
    metrics.count(report(requests(), requests({ service: 'nobody' }), requests({ service: '', status: 404 })));
    await harness.fleet.wake('web');
    expect((await scrape()).value('wakes_total', { service: 'web' })).toBe(1);
    const applied = harness.fleet.apply(manifestOf(fleetSpec('api')));
    await harness.pass(60_000);
    await applied;
    metrics.count(report(requests()));
    const all = await scrape();
    expect(all.lines.filter(({ labels }) => labels['service'] === 'web')).toEqual([]);
    expect(all.value('requests_total', { service: 'nobody' })).toBeUndefined();
    expect(all.value('requests_total', { service: '', status: '404' })).toBe(3);
    expect(all.value('in_flight', { service: 'api' })).toBe(0);
  });

  it('show how the fleet stands now', async () => {
    const { harness, mqtt, scrape } = await begin('web', 'api');
    await harness.fleet.wake('web');
    const link = harness.fleet.connect();
    link.reportWaiting({ service: 'api', waiting: 7 });
    link.reportBreaker({ service: 'web', instanceId: 'web-1', open: true });
    harness.data.request('web');
    Object.assign(mqtt, { condition: { up: false }, dropped: 5 });
    await harness.pass(1_000);
    const all = await scrape();
    expect([all.value('in_flight', { service: 'web' }), all.value('in_flight', { service: 'api' })]).toEqual([1, 0]);
    expect([all.value('waiting', { service: 'web' }), all.value('waiting', { service: 'api' })]).toEqual([0, 7]);
    expect(all.value('instances', { service: 'web', state: 'ready' })).toBe(1);
    expect(all.value('instances', { service: 'api', state: 'ready' })).toBe(0);
    expect(all.value('breaker_state', { service: 'web', instance: 'web-1' })).toBe(1);
    expect(all.value('cpu_ratio', { service: 'web', instance: 'web-1' })).toBe(0.25);
    expect(all.value('memory_bytes', { instance: 'web-1' })).toBe(1_000);
    expect(['mqtt_connected', 'mqtt_dropped_total', 'store_connected'].map((name) => all.value(name))).toEqual([
      0, 5, 0,
    ]);
  });

  it('have no CPU and no memory of what is asleep, rather than 0', async () => {
    const { harness, scrape } = await begin('web');
    await harness.fleet.wake('web');
    await harness.pass(1_000);
    expect((await scrape()).value('memory_bytes')).toBe(1_000);
    await Promise.all([harness.service('web').sleep('operator', 'stop'), harness.pass(1_000)]);
    const all = await scrape();
    expect([all.value('cpu_ratio'), all.value('memory_bytes')]).toEqual([undefined, undefined]);
    expect(all.value('instances', { service: 'web', state: 'stopped' })).toBe(1);
    expect(all.value('sleeps_total', { service: 'web', strategy: 'stop' })).toBe(1);
  });

  it('tell the wakes that succeeded, with their phases, from those that did not', async () => {
    const { harness, scrape } = await begin('web', 'bad', 'slow');
    await harness.fleet.wake('web');
    harness.runtime.behave('bad', { startFails: new Error('no') });
    await expect(harness.fleet.wake('bad')).rejects.toThrow();
    harness.prober.refuse('slow');
    const cancelled = harness.fleet.wake('slow').catch((error: unknown) => error);
    await harness.pass();
    await Promise.all([harness.service('slow').sleep('operator', 'stop'), harness.pass(30_000)]);
    await cancelled;
    const all = await scrape();
    const results = all.lines.filter(({ name }) => name === 'reveille_wakes_total');
    expect(results.map(({ labels, value }) => [labels['service'], labels['result'], value])).toEqual([
      ['web', 'awake', 1],
      ['bad', 'failed', 1],
      ['slow', 'cancelled', 1],
    ]);
    expect(all.value('wake_duration_seconds_count', { service: 'web', phase: 'total' })).toBe(1);
    expect(all.value('wake_duration_seconds_count', { service: 'web', phase: 'ready' })).toBe(1);
    expect(all.value('wake_duration_seconds_count', { service: 'bad' })).toBeUndefined();
  });

  it('show the worst lateness of a while, and forget a process that is gone', async () => {
    const { metrics, harness, scrape } = await begin('web');
    metrics.count({ ...report(), lagSeconds: 0.5 });
    await harness.pass(5_000);
    metrics.count({ ...report(), lagSeconds: 0.01 });
    expect((await scrape()).value('event_loop_lag_seconds', { process: 'proxy-7' })).toBe(0.5);
    await harness.pass(10_000);
    expect((await scrape()).value('event_loop_lag_seconds', { process: 'proxy-7' })).toBe(0.01);
    await harness.pass(15_000);
    const all = await scrape();
    expect(all.value('event_loop_lag_seconds', { process: 'proxy-7' })).toBeUndefined();
    expect(all.value('event_loop_lag_seconds', { process: 'control' })).toBe(0);
  });

  it('are written so that nothing in a name is taken for anything else', async () => {
    const hostile = 'a"} 1\nreveille_waiting{service="b\\';
    const { scrape } = await begin(hostile);
    expect((await scrape()).value('in_flight', { service: hostile })).toBe(0);
  });

  it('say of each what it is, once, however many services there are', async () => {
    const { metrics, text } = await begin(...Array.from({ length: 300 }, (_, index) => `svc-${index}`));
    metrics.count(report(...Array.from({ length: 300 }, (_, index) => requests({ service: `svc-${index}` }))));
    const lines = (await text()).split('\n');
    expect(lines.filter((line) => line.startsWith('# TYPE'))).toEqual(
      expect.arrayContaining(Object.entries(METRICS).map(([name, { type }]) => `# TYPE reveille_${name} ${type}`)),
    );
    expect(lines.filter((line) => line.startsWith('# HELP'))).toHaveLength(Object.keys(METRICS).length);
    expect(new Set(lines.filter((line) => line !== '')).size).toBe(lines.filter((line) => line !== '').length);
    expect(lines.at(-1)).toBe('');
  });
});
