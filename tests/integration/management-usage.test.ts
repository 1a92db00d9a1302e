import { afterEach, describe, expect, it } from 'vitest';
import type { InstancesAnswer, ProblemAnswer, SamplesAnswer } from '../../src/management/contract.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { TestManagement } from '../support/set-ups/management.ts';
import { SPARING, until, untilPasses } from '../support/until.ts';

let management: TestManagement;

afterEach(() => management.close());

const web = serviceSpec({ name: 'web', routes: [{ host: 'app.alkimia.localhost', path: '/', port: 3000 }] });
const printer = serviceSpec({
  name: 'printer',
  source: { kind: 'url', urls: ['http://127.0.0.1:9'] },
  readiness: { strategy: { kind: 'tcp' } },
});

describe('what instances use', () => {
  it('is shown while they run, and is null when they do not', async () => {
    management = await TestManagement.start([web, printer]);
    const usage = { cpuRatio: 0.25, memoryBytes: 1_000, memoryLimitBytes: 4_000 };
    management.runtime.behave('web', { usage });
    await management.post('/api/services/web/wake');
    const all = async () => (await management.ask('/api/instances')).json<InstancesAnswer>().instances;
    await untilPasses(async () => expect((await all()).find(({ id }) => id === 'web-1')).toMatchObject(usage), SPARING);
    expect((await all()).find(({ service }) => service === 'printer')).toMatchObject({ cpuRatio: null });
    await management.post('/api/services/web/sleep');
    const nothing = { cpuRatio: null, memoryBytes: null, memoryLimitBytes: null };
    expect((await all()).find(({ id }) => id === 'web-1')).toMatchObject(nothing);
    const samples = (await management.ask('/api/services/web/samples')).json<SamplesAnswer>();
    expect(samples).toMatchObject({ service: 'web', samples: [{ instance: 'web-1', inFlight: 0, ...usage }] });
    expect(Date.parse(samples.samples[0]?.at ?? '')).toBeGreaterThan(0);
  });

  it('goes back to what the store remembers, once each', async () => {
    management = await TestManagement.start([web]);
    management.runtime.behave('web', { usage: { cpuRatio: 0.25, memoryBytes: 1_000, memoryLimitBytes: 4_000 } });
    await management.post('/api/services/web/wake');
    const ask = async (query = '') =>
      (await management.ask(`/api/services/web/samples${query}`)).json<SamplesAnswer>().samples;
    await until(async () => (await ask()).length > 0, SPARING);
    await management.post('/api/services/web/sleep');
    const now = await ask();
    const hourAgo = new Date(Date.now() - 3_600_000).toISOString();
    const older = { service: 'web', instance: 'web-1', at: hourAgo, cpu: 50, memory: 2_000, inFlight: 3 };
    const same = { ...older, at: now[0]!.at, cpu: 25, memory: 1_000, inFlight: 0 };
    await management.store.saveSamples([older, same]);
    const stored = { instance: 'web-1', at: hourAgo, cpuRatio: 0.5, memoryBytes: 2_000, inFlight: 3 };
    expect(await ask(`?since=${hourAgo}`)).toEqual([{ ...stored, memoryLimitBytes: null }, ...now]);
    expect(await ask(`?since=${now[0]!.at}`)).toEqual(now);
    expect(await ask(`?since=${hourAgo}&limit=1`)).toEqual(now.slice(-1));
    const wrong = (await management.ask('/api/services/web/samples?since=yesterday')).json<ProblemAnswer>();
    expect(wrong.detail).toContain('since: must be a time such as');
  });

  it('is asked of a service that exists', async () => {
    management = await TestManagement.start([web]);
    expect((await management.ask('/api/services/web/samples')).json()).toEqual({ service: 'web', samples: [] });
    const unknown = await management.ask('/api/services/nobody/samples');
    expect([unknown.status, unknown.json<ProblemAnswer>().code]).toEqual([404, 'unknown_service']);
  });
});
