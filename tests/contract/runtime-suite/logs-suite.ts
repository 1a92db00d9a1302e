import { describe, expect, it } from 'vitest';
import { get, collect, GRACE_MS, settles, texts, untilServes, type RuntimeSuiteContext } from './context.ts';
import { until, untilPasses } from '../../support/until.ts';

/** Log lines. */
export function logsSuite(suite: RuntimeSuiteContext): void {
  describe('logs', () => {
    it('gives the last lines of each stream', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      await get(endpoint, '/log?lines=5&text=hello');
      const lines = await until(async () => {
        const all = await collect(suite.runtime.logs(runtimeId, { tail: 6, follow: false }));
        return texts(all, 'stderr').length > 0 && all.length === 6 ? all : undefined;
      });
      expect(texts(lines)).toEqual([1, 2, 3, 4, 5].map((count) => `line ${count} hello`));
      expect(texts(lines, 'stderr')).toEqual(['logged for /log?lines=5&text=hello']);
      for (const line of lines) expect(Math.abs(line.atEpochMs - Date.now())).toBeLessThan(60_000);
    });

    it('gives no more lines than asked for', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      await get(endpoint, '/log?lines=9');
      await until(async () => (await collect(suite.runtime.logs(runtimeId, { tail: 50, follow: false }))).length >= 11);
      expect(await collect(suite.runtime.logs(runtimeId, { tail: 2, follow: false }))).toHaveLength(2);
      expect(await collect(suite.runtime.logs(runtimeId, { tail: 0, follow: false }))).toHaveLength(0);
    });

    it('of what has ended are still there', async () => {
      const { runtimeId } = await suite.launch({ EXIT_CODE: '5', EXIT_AFTER_MS: '100' });
      await suite.untilState(runtimeId, 'exited');
      const lines = await collect(suite.runtime.logs(runtimeId, { tail: 10, follow: false }));
      expect(texts(lines, 'stderr')).toContain('exits with 5');
    });

    it('of its latest run alone begin with the start of that, also of one that has ended at once', async () => {
      const { runtimeId } = await suite.launch({ EXIT_CODE: '5' });
      await suite.untilState(runtimeId, 'exited');
      await suite.runtime.startInstance(runtimeId);
      await suite.untilState(runtimeId, 'exited');
      const both = await collect(suite.runtime.logs(runtimeId, { tail: 50, follow: false }));
      const latest = await collect(suite.runtime.logs(runtimeId, { tail: 50, follow: false, latestRun: true }));
      expect(texts(both, 'stderr')).toEqual(['exits with 5', 'exits with 5']);
      expect(texts(latest, 'stderr')).toEqual(['exits with 5']);
      expect(texts(latest)).toEqual(texts(both).slice(-1));
    });

    it('of its latest run alone go on with new lines', async () => {
      const { runtimeId } = await suite.launchReady();
      await suite.runtime.stopInstance(runtimeId, GRACE_MS);
      const { endpoints } = await suite.runtime.startInstance(runtimeId);
      const endpoint = Object.values(endpoints)[0]!;
      await untilServes(endpoint);
      await get(endpoint, '/log?text=anew');
      const options = { tail: 50, follow: true, latestRun: true };
      const seen = await collect(suite.runtime.logs(runtimeId, options), (soFar) =>
        texts(soFar).includes('line 1 anew'),
      );
      expect(texts(seen).filter((text) => text.startsWith('fixture starts'))).toHaveLength(1);
    });

    it('go on with new lines while they are followed, and end with the signal', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      const ending = new AbortController();
      const seen: string[] = [];
      const following = (async () => {
        for await (const line of suite.runtime.logs(runtimeId, { tail: 10, follow: true, signal: ending.signal })) {
          seen.push(line.text);
        }
      })();
      await untilPasses(() => expect(seen.some((text) => text.startsWith('fixture starts'))).toBe(true));
      await get(endpoint, '/log?text=followed');
      await untilPasses(() => expect(seen).toContain('line 1 followed'));
      ending.abort();
      await settles(following);
    });

    it('end when the instance is removed', async () => {
      const { runtimeId } = await suite.launchReady();
      const following = collect(suite.runtime.logs(runtimeId, { tail: 10, follow: true }));
      await suite.runtime.removeInstance(runtimeId);
      await settles(following);
    });
  });
}
