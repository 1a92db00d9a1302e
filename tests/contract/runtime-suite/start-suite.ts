import { describe, expect, it } from 'vitest';
import { portsOf } from '../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../src/fleet/errors.ts';
import { GRACE_MS, SHORT_GRACE_MS, get, untilServes, collect, texts, type RuntimeSuiteContext } from './context.ts';
import { until, untilPasses } from '../../support/until.ts';

/** Starting, pausing, stopping, and ends that nobody asked for. */
export function startSuite(suite: RuntimeSuiteContext): void {
  describe('start', () => {
    it('gives endpoints that serve', async () => {
      const { observed, endpoint, identity } = await suite.launchReady();
      expect(observed.state).toBe('running');
      expect(observed.upMs).toBeGreaterThanOrEqual(0);
      expect(endpoint.host).toMatch(/^[\d.]+$|:/);
      expect(identity.boot).toBeTruthy();
    });

    it('gives an endpoint for the port of each route', async () => {
      const routes = [{ host: 'x.test', path: '/', port: 4_100 }];
      const { spec, observed } = await suite.launch({}, { routes });
      expect(Object.keys(observed.endpoints).map(Number).sort()).toEqual(portsOf(spec).sort());
    });

    it('returns before the service is ready', async () => {
      const { endpoint } = await suite.launch({ READY_AFTER_MS: '400' });
      await expect(get(endpoint, '/', 200)).rejects.toThrow();
      await untilServes(endpoint);
    });

    it('of what runs already changes nothing', async () => {
      const { spec, runtimeId, endpoint, identity } = await suite.launchReady();
      const again = await suite.runtime.startInstance(runtimeId);
      expect(again).toMatchObject({ runtimeId, state: 'running' });
      expect(again.endpoints[spec.port]).toEqual(endpoint);
      expect(await get(endpoint)).toMatchObject({ boot: identity.boot });
    });

    it('once for simultaneous callers', async () => {
      const { runtimeId } = await suite.make(suite.harness.spec());
      await Promise.all([1, 2, 3].map(() => suite.runtime.startInstance(runtimeId)));
      const { endpoints } = (await suite.runtime.inspect(runtimeId))!;
      await untilServes(Object.values(endpoints)[0]!);
      const lines = texts(await collect(suite.runtime.logs(runtimeId, { tail: 100, follow: false })));
      expect(lines.filter((line) => line.startsWith('fixture starts'))).toHaveLength(1);
    });

    it('starts again what has ended, and forgets its exit', async () => {
      const { spec, runtimeId, identity } = await suite.launchReady();
      await suite.runtime.stopInstance(runtimeId, GRACE_MS);
      const again = await suite.runtime.startInstance(runtimeId);
      expect(again).toMatchObject({ runtimeId, state: 'running' });
      expect(again.exit).toBeUndefined();
      expect((await untilServes(again.endpoints[spec.port]!)).boot).not.toBe(identity.boot);
    });

    it('of something unknown is an error', async () => {
      await expect(suite.runtime.startInstance('not-there')).rejects.toBeInstanceOf(RuntimeError);
    });

    it('goes by what was seen of it, and does not rely on that', async () => {
      const { spec, runtimeId, endpoint } = await suite.launchReady();
      await suite.runtime.pauseInstance(runtimeId);
      const paused = await suite.make(spec);
      const running = { state: 'running', endpoints: { [spec.port]: endpoint } };
      expect(await suite.runtime.startInstance(runtimeId, paused)).toMatchObject(running);
      expect(await suite.runtime.startInstance(runtimeId, paused)).toMatchObject(running);
      await suite.runtime.stopInstance(runtimeId, GRACE_MS);
      const stopped = await suite.make(spec);
      expect(await suite.runtime.startInstance(runtimeId, paused)).toMatchObject({ state: 'running' });
      await suite.runtime.pauseInstance(runtimeId);
      expect(await suite.runtime.startInstance(runtimeId, stopped)).toMatchObject({ state: 'running' });
      await suite.runtime.removeInstance(runtimeId);
      await expect(suite.runtime.startInstance(runtimeId, stopped)).rejects.toBeInstanceOf(RuntimeError);
    });

    it('reports a change', async () => {
      const { events, stop } = suite.record();
      const { runtimeId, spec } = await suite.launch();
      const change = { type: 'changed', key: { service: spec.name, index: 1 }, runtimeId };
      await untilPasses(() => expect(events).toContainEqual(expect.objectContaining(change)));
      stop();
    });
  });

  describe('pause', () => {
    it('stops every answer until the next start, which continues the same process', async () => {
      const { spec, runtimeId, endpoint, identity } = await suite.launchReady();
      await suite.runtime.pauseInstance(runtimeId);
      expect(await suite.runtime.inspect(runtimeId)).toMatchObject({
        state: 'paused',
        endpoints: { [spec.port]: endpoint },
      });
      await expect(get(endpoint, '/', 300)).rejects.toThrow();
      const continued = await suite.runtime.startInstance(runtimeId);
      expect(continued.state).toBe('running');
      expect(await untilServes(continued.endpoints[spec.port]!)).toMatchObject({ boot: identity.boot });
    });

    it('of what is paused already is no error', async () => {
      const { runtimeId } = await suite.launchReady();
      await suite.runtime.pauseInstance(runtimeId);
      await suite.runtime.pauseInstance(runtimeId);
      expect(await suite.runtime.inspect(runtimeId)).toMatchObject({ state: 'paused' });
    });
  });

  describe('stop', () => {
    it('lets the service end by itself', async () => {
      const { runtimeId, endpoint } = await suite.launchReady();
      await suite.runtime.stopInstance(runtimeId, GRACE_MS);
      const observed = (await suite.runtime.inspect(runtimeId))!;
      expect(observed).toMatchObject({ state: 'exited', exit: { code: 0, oomKilled: false }, endpoints: {} });
      expect(observed.upMs).toBeUndefined();
      await expect(get(endpoint, '/', 500)).rejects.toThrow();
    });

    it('ends after the grace what does not listen', async () => {
      const { runtimeId } = await suite.launchReady({ IGNORE_SIGTERM: '1' });
      const startedAt = performance.now();
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      expect(performance.now() - startedAt).toBeGreaterThan(SHORT_GRACE_MS * 0.8);
      expect(await suite.runtime.inspect(runtimeId)).toMatchObject({ state: 'exited', exit: { code: 137 } });
    });

    it('ends what is paused', async () => {
      const { runtimeId } = await suite.launchReady();
      await suite.runtime.pauseInstance(runtimeId);
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      expect(await suite.runtime.inspect(runtimeId)).toMatchObject({ state: 'exited' });
    });

    it('of what does not run is no error', async () => {
      const { runtimeId } = await suite.make(suite.harness.spec());
      await suite.runtime.stopInstance(runtimeId, GRACE_MS);
      await suite.runtime.startInstance(runtimeId);
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      await suite.runtime.stopInstance(runtimeId, SHORT_GRACE_MS);
      expect(await suite.runtime.inspect(runtimeId)).toMatchObject({ state: 'exited' });
    });
  });

  it('sees an instance end by itself, and with which code', async () => {
    const { events, stop } = suite.record();
    const { runtimeId } = await suite.launch({ EXIT_CODE: '3', EXIT_AFTER_MS: '200' });
    expect(await suite.untilState(runtimeId, 'exited')).toMatchObject({
      exit: { code: 3, oomKilled: false },
      endpoints: {},
    });
    await until(() => events.some((event) => event.type === 'changed' && event.runtimeId === runtimeId));
    stop();
  });

  it('reports that an instance ended without being asked', async () => {
    const { runtimeId, endpoint } = await suite.launchReady();
    const { events, stop } = suite.record();
    await get(endpoint, '/exit?code=4');
    await until(() => events.some((event) => event.type === 'changed' && event.runtimeId === runtimeId));
    expect(await suite.untilState(runtimeId, 'exited')).toMatchObject({ exit: { code: 4 } });
    stop();
  });
}
