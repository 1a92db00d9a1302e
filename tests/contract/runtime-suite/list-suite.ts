import { describe, expect, it } from 'vitest';
import { get, type RuntimeSuiteContext } from './context.ts';

/** Taking away and listing. */
export function listSuite(suite: RuntimeSuiteContext): void {
  describe('remove', () => {
    it('takes away what runs', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      await suite.runtime.removeInstance(runtimeId);
      expect(await suite.runtime.inspect(runtimeId)).toBeUndefined();
      expect(await suite.runtime.list()).toEqual([]);
      await expect(get(endpoint, '/', 500)).rejects.toThrow();
    });

    it('of what is gone or was never there is no error', async () => {
      const { runtimeId } = await suite.make(suite.harness.spec());
      await suite.runtime.removeInstance(runtimeId);
      await suite.runtime.removeInstance(runtimeId);
      await suite.runtime.removeInstance('not-there');
    });
  });

  it('knows nothing of an unknown instance', async () => {
    expect(await suite.runtime.inspect('not-there')).toBeUndefined();
  });

  it('lists its instances, whatever their state, and none of another project', async () => {
    const spec = suite.harness.spec();
    const created = await suite.make(spec, 2);
    const { runtimeId } = await suite.launch();
    const other = await suite.harness.open();
    try {
      expect(await other.runtime.list()).toEqual([]);
      expect(await other.runtime.inspect(runtimeId)).toBeUndefined();
      await other.runtime.removeInstance(runtimeId).catch(() => undefined);
      const states = (await suite.runtime.list()).map((one) => [one.runtimeId, one.state]);
      expect(Object.fromEntries(states)).toEqual({ [created.runtimeId]: 'created', [runtimeId]: 'running' });
    } finally {
      await other.close();
    }
  });
}
