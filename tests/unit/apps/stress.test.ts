import { describe, expect, it } from 'vitest';
import { QueryReader } from '../../../apps/shared/query-reader.js';
import { readConstantPlan, readIncrementalPlan } from '../../../apps/shared/stress-plan.js';
import { dueAfter } from '../../../apps/stress-agent/drive-load.js';
import { LatencyHistogram } from '../../../apps/stress-agent/latency-histogram.js';
import { readLoadPlan } from '../../../apps/stress-agent/load-plan.js';

const query = (text: string) => new QueryReader(new URLSearchParams(text));

describe('the plan of a stress run', () => {
  it('has the defaults of the contract', () => {
    expect(readConstantPlan(query(''))).toMatchObject({ steps: [{ intensity: 80, durationMs: 30_000 }] });
    const steps = readIncrementalPlan(query('')).steps.map(({ intensity }) => intensity);
    expect(steps).toEqual([10, 20, 30, 40, 50, 60, 70, 80, 90, 100]);
  });

  it('ends at the highest intensity, whatever the number of steps', () => {
    const plan = readIncrementalPlan(query('steps=7&maxIntensity=50&stepDuration=1000'));
    expect(plan.steps.at(-1)).toEqual({ intensity: 50, durationMs: 1000 });
    expect(plan.totalMs).toBe(7000);
  });

  it('lasts ten minutes at most', () => {
    const reader = query('steps=100&stepDuration=10000');
    readIncrementalPlan(reader);
    expect(() => reader.finish()).toThrow(/stepDuration/);
  });
});

describe('the plan of the agent', () => {
  it('passes the parameters on to the endpoint of the backend', () => {
    const constant = readLoadPlan('constant', new URLSearchParams('intensity=40&duration=2000&rps=10&concurrency=3'));
    expect(constant).toMatchObject({ backendPath: '/api/stress?intensity=40&duration=2000', concurrency: 3 });
    expect(constant.stages).toEqual([{ rps: 10, durationMs: 2000 }]);
    const steps = readLoadPlan('incremental', new URLSearchParams('steps=2&maxIntensity=60&stepDuration=500&rps=20'));
    expect(steps.backendPath).toBe('/api/stress/incremental?steps=2&maxIntensity=60&stepDuration=500');
    expect(steps.stages.map(({ rps }) => rps)).toEqual([10, 20]);
  });

  it.each([
    'concurrency=0',
    'concurrency=201',
    'rps=2001',
    'path=//evil.example',
    'path=x',
    'duration=600001',
    'steps=3',
  ])('refuses %s', (text) => expect(() => readLoadPlan('constant', new URLSearchParams(text))).toThrow());
});

describe('dueAfter', () => {
  it('adds up the stages', () => {
    const stages = [
      { rps: 10, durationMs: 1000 },
      { rps: 100, durationMs: 500 },
    ];
    expect([0, 500, 1000, 1250, 1500, 9000].map((ms) => dueAfter(stages, ms))).toEqual([0, 5, 10, 35, 60, 60]);
  });
});

describe('LatencyHistogram', () => {
  it('is within five percent of the truth', () => {
    const histogram = new LatencyHistogram();
    for (let ms = 1; ms <= 1000; ms++) histogram.record(ms);
    expect(histogram.percentile(0.5)).toBeGreaterThanOrEqual(500);
    expect(histogram.percentile(0.5)).toBeLessThanOrEqual(525);
    expect(histogram.percentile(0.99)).toBeGreaterThanOrEqual(990);
    expect(histogram.summary()).toMatchObject({ max: 1000, mean: 500.5 });
  });

  it('takes any value and says nothing of nothing', () => {
    const histogram = new LatencyHistogram();
    expect(histogram.summary()).toEqual({ mean: null, p50: null, p90: null, p99: null, max: null });
    histogram.record(0);
    histogram.record(1e9);
    expect(histogram.percentile(1)).toBe(1e9);
  });
});
