import { describe, expect, it } from 'vitest';
import type { Runtime, Usage } from '../../../src/fleet/runtime.ts';
import { PREPARE, SHORT_GRACE_MS, get, collect, settles, type RuntimeSuiteContext } from './context.ts';
import { until, untilPasses } from '../../support/until.ts';

const MEMORY = 256 * 2 ** 20;
/** Readings come once a second, and the change must be in one. */

interface Reader {
  latest: () => Usage | undefined;
  count: () => number;
  stop: () => Promise<void>;
}

/** Reads on in the background until it is stopped. */
function follow(usage: Runtime['usage'], runtimeId: string): Reader {
  const ending = new AbortController();
  const readings: Usage[] = [];
  const reading = (async () => {
    for await (const one of usage(runtimeId, ending.signal)) readings.push(one);
  })();
  const stop = async (): Promise<void> => {
    ending.abort();
    await settles(reading);
  };
  return { latest: () => readings.at(-1), count: () => readings.length, stop };
}

/** What an instance uses. */
export function usageSuite(suite: RuntimeSuiteContext): void {
  describe('usage', () => {
    it('tells memory and CPU of the limits while it runs, and ends with it', async () => {
      const { spec, runtimeId } = await suite.launchReady();
      const readings: Usage[] = [];
      const reading = (async () => {
        for await (const one of suite.runtime.usage(runtimeId, PREPARE.signal)) readings.push(one);
      })();
      await untilPasses(() => expect(readings.at(-1)?.cpuRatio).not.toBeNull());
      await untilPasses(() => expect(readings.at(-1)?.cpuRatio).toBeGreaterThanOrEqual(0));
      expect(readings.at(-1)?.memoryBytes).toBeGreaterThan(0);
      expect(readings.at(-1)?.memoryLimitBytes).toBe(spec.resources.memoryBytes);
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      await settles(reading);
    });

    it('ends with the signal', async () => {
      const { runtimeId } = await suite.launchReady();
      const ending = new AbortController();
      const reading = collect(suite.runtime.usage(runtimeId, ending.signal));
      ending.abort();
      await settles(reading);
    });

    it('of what does not run is nothing', async () => {
      const { runtimeId } = await suite.make(suite.harness.spec());
      expect(await settles(collect(suite.runtime.usage(runtimeId, PREPARE.signal)))).toEqual([]);
    });

    it('shows a load while there is one, in parts of the CPU limit', async () => {
      // A small limit, which is reached also where many others want the machine.
      const { runtimeId, endpoint } = await suite.launchReady({}, { resources: { cpus: 0.1, memoryBytes: MEMORY } });
      const { latest, stop } = follow(suite.runtime.usage.bind(suite.runtime), runtimeId);
      await untilPasses(() => expect(latest()?.cpuRatio).toBeLessThan(0.4));
      await get(endpoint, '/burn');
      await untilPasses(() => expect(latest()?.cpuRatio).toBeGreaterThan(0.6));
      await get(endpoint, '/burn?stop', 20_000);
      await untilPasses(() => expect(latest()?.cpuRatio).toBeLessThan(0.4));
      await stop();
    });

    it('shows the memory that is held', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      const { latest, stop } = follow(suite.runtime.usage.bind(suite.runtime), runtimeId);
      const before = await until(() => latest()?.memoryBytes);
      await fetch(`http://${endpoint.host}:${endpoint.port}/leak?mb=64`).then((answer) => answer.text());
      await untilPasses(() => expect(latest()?.memoryBytes).toBeGreaterThan(before + 50 * 2 ** 20));
      await stop();
    });

    it('can be read by several at once, each with readings of its own', async () => {
      const { runtimeId } = await suite.launchReady();
      const readers = [1, 2].map(() => follow(suite.runtime.usage.bind(suite.runtime), runtimeId));
      await untilPasses(() =>
        expect(readers.map(({ latest }) => typeof latest()?.cpuRatio)).toEqual(['number', 'number']),
      );
      await readers[0]?.stop();
      const seen = readers[1]?.count() ?? 0;
      await untilPasses(() => expect(readers[1]?.count()).toBeGreaterThan(seen));
      await readers[1]?.stop();
    });

    it('is nothing while it is stopped, and comes again when it is started again', async () => {
      const { runtimeId } = await suite.launchReady();
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      expect(await settles(collect(suite.runtime.usage(runtimeId, PREPARE.signal)))).toEqual([]);
      await suite.runtime.startInstance(runtimeId);
      const { latest, stop } = follow(suite.runtime.usage.bind(suite.runtime), runtimeId);
      await untilPasses(() => expect(latest()?.memoryBytes).toBeGreaterThan(0));
      await stop();
    });
  });
}
