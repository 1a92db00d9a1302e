import { describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { PREPARE, get, untilServes, type RuntimeSuiteContext } from './context.ts';

/** Making instances, and what they are made from. */
export function createSuite(suite: RuntimeSuiteContext): void {
  describe('create', () => {
    it('makes an instance that does not run yet', async () => {
      const spec = suite.harness.spec();
      const prepared = await suite.runtime.prepare(spec, PREPARE);
      const observed = await suite.runtime.create(spec, 2, prepared);
      expect(observed).toMatchObject({ key: { service: spec.name, index: 2 }, state: 'created', endpoints: {} });
      expect(observed.configHash).toBe(suite.runtime.configHash(spec));
      expect(observed.imageId).toBe(prepared.imageId);
      expect(observed.upMs).toBeUndefined();
      expect(observed.exit).toBeUndefined();
    });

    it('returns the instance that is there when nothing changed', async () => {
      const spec = suite.harness.spec();
      const first = await suite.make(spec);
      expect((await suite.make(spec)).runtimeId).toBe(first.runtimeId);
      await suite.runtime.startInstance(first.runtimeId);
      expect(await suite.make(spec)).toMatchObject({ runtimeId: first.runtimeId, state: 'running' });
      expect(await suite.runtime.list()).toHaveLength(1);
    });

    it('makes one instance for simultaneous callers', async () => {
      const spec = suite.harness.spec();
      const prepared = await suite.runtime.prepare(spec, PREPARE);
      await Promise.allSettled([1, 2, 3].map(() => suite.runtime.create(spec, 1, prepared)));
      expect(await suite.runtime.list()).toHaveLength(1);
    });

    it('makes an instance for each index', async () => {
      const spec = suite.harness.spec();
      const [first, second] = [await suite.make(spec, 1), await suite.make(spec, 2)];
      expect(first.runtimeId).not.toBe(second.runtimeId);
      const started = [
        await suite.runtime.startInstance(first.runtimeId),
        await suite.runtime.startInstance(second.runtimeId),
      ];
      const boots = await Promise.all(started.map((one) => untilServes(one.endpoints[spec.port]!)));
      expect(boots[0]?.boot).not.toBe(boots[1]?.boot);
    });

    it('replaces an instance that was made from another configuration', async () => {
      const { spec, runtimeId, endpoint } = await suite.launchReady();
      const changed = { ...spec, env: { ...spec.env, GREETING: 'changed' } };
      const replaced = await suite.make(changed);
      expect(replaced.runtimeId).not.toBe(runtimeId);
      expect(replaced).toMatchObject({ state: 'created', configHash: suite.runtime.configHash(changed) });
      expect(await suite.runtime.inspect(runtimeId)).toBeUndefined();
      await expect(get(endpoint, '/', 500)).rejects.toThrow();
    });
  });

  describe('configHash', () => {
    it('stays when only what Reveille does with the service changes', () => {
      const spec = suite.harness.spec();
      const elsewhere: ServiceSpec = {
        ...spec,
        scale: { ...spec.scale, max: 7 },
        sleep: false,
        sticky: !spec.sticky,
      };
      expect(suite.runtime.configHash(elsewhere)).toBe(suite.runtime.configHash(spec));
      expect(suite.runtime.configHash(structuredClone(spec))).toBe(suite.runtime.configHash(spec));
    });

    it('changes with the environment, the port and the limits', () => {
      const spec = suite.harness.spec();
      const variants: ServiceSpec[] = [
        spec,
        { ...spec, env: { ...spec.env, A: '1' } },
        { ...spec, env: { ...spec.env, A: '2' } },
        { ...spec, port: spec.port + 1 },
        { ...spec, resources: { ...spec.resources, memoryBytes: spec.resources.memoryBytes * 2 } },
      ];
      expect(new Set(variants.map((variant) => suite.runtime.configHash(variant))).size).toBe(variants.length);
    });

    it('does not depend on the order in which the environment is written', () => {
      const spec = suite.harness.spec();
      const forward = { ...spec, env: { A: '1', B: '2' } };
      const backward = { ...spec, env: { B: '2', A: '1' } };
      expect(suite.runtime.configHash(backward)).toBe(suite.runtime.configHash(forward));
    });
  });

  it('does not prepare for a caller that has left', async () => {
    const left = { onProgress: (): void => undefined, signal: AbortSignal.abort() };
    await expect(suite.runtime.prepare(suite.harness.spec(), left)).rejects.toThrow();
  });
}
