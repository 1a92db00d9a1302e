import { describe, expect, it } from 'vitest';
import type { ReadinessSpec, ServiceSpec } from '../../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../../src/fleet/errors.ts';
import { Readiness } from '../../../../src/fleet/instance/readiness.ts';
import type { ObservedInstance } from '../../../../src/fleet/runtime.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { FakeRuntime } from '../../../support/fakes/fake-runtime.ts';
import { fleetSpec } from '../../../support/set-ups/fleet.ts';
import { ScriptedProber, silence } from '../../../support/fakes/scripted-prober.ts';
import { watch, type Watched } from '../../../support/watch.ts';

const REFUSED = { ok: false, reason: 'refused' } as const;

class Bench {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime({ clock: this.clock });
  readonly prober = new ScriptedProber();
  readonly readiness = new Readiness({ runtime: this.runtime, prober: this.prober, clock: this.clock });
  readonly spec: ServiceSpec;
  readonly end = new AbortController();

  constructor(readiness: ReadinessSpec, changes: Partial<ServiceSpec> = {}) {
    this.spec = fleetSpec('web', { readiness, ...changes });
  }

  async untilReady(): Promise<Watched<void>> {
    await this.runtime.plant(this.spec);
    const [instance] = (await this.runtime.list()) as [ObservedInstance];
    return watch(this.readiness.untilReady(this.spec, instance, this.end.signal));
  }

  /** The instants of the probes. */
  timeProbes(): number[] {
    const at: number[] = [];
    this.prober.script = () => {
      at.push(this.clock.now());
      return REFUSED;
    };
    return at;
  }
}

const AUTO: ReadinessSpec = { strategy: { kind: 'auto' } };

describe('readiness', () => {
  it('is asked over HTTP, of /, where there are routes', async () => {
    const bench = new Bench(AUTO);
    bench.runtime.behave('web', { healthCommand: ['check'] });
    await bench.untilReady();
    expect(bench.prober.calls).toMatchObject([{ kind: 'http', path: '/', options: { protocol: 'http' } }]);
    expect(bench.prober.calls[0]?.below).toBeUndefined();
  });

  it('is asked of the HEALTHCHECK of the image where there are none', async () => {
    const bench = new Bench(AUTO, { routes: [] });
    const commands: unknown[] = [];
    const exec = (command: readonly string[]): Promise<number> => Promise.resolve(commands.push(command) < 3 ? 1 : 0);
    bench.runtime.behave('web', { healthCommand: ['pg_isready', '-q'], exec });
    const ready = await bench.untilReady();
    await bench.clock.advanceAsync(20);
    expect(ready).toEqual({ settled: true, value: undefined });
    expect(commands).toEqual(Array.from({ length: 3 }, () => ['pg_isready', '-q']));
    expect(bench.prober.calls).toEqual([]);
  });

  it('is asked over TCP where there is neither', async () => {
    const bench = new Bench(AUTO, { routes: [] });
    await bench.untilReady();
    expect(bench.prober.calls).toMatchObject([{ kind: 'tcp' }]);
  });

  it.each<[string, ReadinessSpec['strategy'], object]>([
    ['http', { kind: 'http', path: '/ping' }, { kind: 'http', path: '/ping', options: { protocol: 'h2c' } }],
    ['tcp', { kind: 'tcp' }, { kind: 'tcp' }],
  ])('is asked over %s when the operator says so', async (_, strategy, call) => {
    const bench = new Bench({ strategy }, { protocol: 'h2c' });
    await bench.untilReady();
    expect(bench.prober.calls).toMatchObject([call]);
  });

  it('is asked every 10 ms for two seconds, then ever more slowly up to 100 ms', async () => {
    const bench = new Bench(AUTO);
    const at = bench.timeProbes();
    await bench.untilReady();
    await bench.clock.advanceAsync(60_000);
    const gaps = at.slice(1).map((instant, n) => Math.round(instant - (at[n] ?? 0)));
    expect(gaps.slice(0, 200)).toEqual(Array.from({ length: 200 }, () => 10));
    expect(gaps).toEqual([...gaps].sort((a, b) => a - b));
    expect(gaps.at(-1)).toBe(100);
    bench.end.abort();
    await bench.clock.advanceAsync(0);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it('is asked at the interval that the operator wants, so often and no more', async () => {
    const bench = new Bench({ strategy: { kind: 'tcp' }, intervalMs: 500, retries: 4 });
    const at = bench.timeProbes();
    const ready = await bench.untilReady();
    await bench.clock.advanceAsync(5_000);
    expect(at).toEqual([0, 500, 1_000, 1_500]);
    expect(ready.error).toMatchObject({ code: 'probe_failed' });
    expect((ready.error as RuntimeError).message).toBe('web failed 4 readiness probes: refused');
  });

  it('gives up a probe that hangs and asks again', async () => {
    const bench = new Bench(AUTO);
    let asked = 0;
    bench.prober.script = (_, signal) => ((asked += 1) === 1 ? silence(signal) : undefined);
    const ready = await bench.untilReady();
    await bench.clock.advanceAsync(4_999);
    expect(ready.settled).toBe(false);
    // After five seconds the pace is 25 ms.
    await bench.clock.advanceAsync(26);
    expect(ready).toEqual({ settled: true, value: undefined });
  });

  it('takes a probe that throws for one that failed', async () => {
    const bench = new Bench({ strategy: { kind: 'exec', command: ['check'] }, retries: 1 });
    bench.runtime.behave('web', { exec: () => Promise.reject(new Error('no such command')) });
    const ready = await bench.untilReady();
    await bench.clock.advanceAsync(0);
    expect(ready.error).toMatchObject({ code: 'probe_failed' });
    expect((ready.error as Error).message).toContain('no such command');
  });

  it('ends with the reason of the signal, also in the middle of a probe', async () => {
    const bench = new Bench(AUTO);
    bench.prober.script = (_, signal) => silence(signal);
    const ready = await bench.untilReady();
    await bench.clock.advanceAsync(100);
    const reason = new RuntimeError('not_ready_in_time', 'too late');
    bench.end.abort(reason);
    await bench.clock.advanceAsync(0);
    expect(ready.error).toBe(reason);
    expect(bench.clock.pendingCount).toBe(0);
  });

  it.each([
    [{ strategy: { kind: 'docker' } }, 'probe_failed', 'HEALTHCHECK'],
    [{ strategy: { kind: 'tcp' } }, 'start_failed', 'port'],
  ] as const)('that cannot be asked (%j) is said to be so', async (readiness, code, word) => {
    const bench = new Bench(readiness);
    await bench.runtime.plant(bench.spec);
    const [instance] = (await bench.runtime.list()) as [ObservedInstance];
    const nowhere = { ...instance, endpoints: {} };
    const ready = watch(bench.readiness.untilReady(bench.spec, nowhere, bench.end.signal));
    await bench.clock.advanceAsync(0);
    expect(ready.error).toMatchObject({ code });
    expect((ready.error as Error).message).toContain(word);
  });

  it('of one that is thought to be ready is asked once', async () => {
    const bench = new Bench(AUTO);
    bench.prober.script = (_, signal) => silence(signal);
    await bench.runtime.plant(bench.spec);
    const [instance] = (await bench.runtime.list()) as [ObservedInstance];
    const check = watch(bench.readiness.check(bench.spec, instance, 1_000));
    await bench.clock.advanceAsync(1_000);
    expect(check.value).toEqual({ ok: false, reason: 'no answer in time' });
    expect(bench.prober.calls).toHaveLength(1);
  });
});
