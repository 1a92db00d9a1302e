import { beforeEach, describe, expect, it } from 'vitest';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../src/fleet/errors.ts';
import { fleetSpec, FleetHarness } from '../../support/set-ups/fleet.ts';

const AWAY = { up: false, code: 'engine_absent', reason: 'no engine answers' } as const;

describe('what runs when the daemon starts', () => {
  const web = fleetSpec('web');
  const old = { ...web, env: { COLOUR: 'red' } };
  let harness: FleetHarness;
  beforeEach(() => {
    harness = new FleetHarness();
  });

  async function start(...specs: ServiceSpec[]): Promise<void> {
    await harness.start(...specs);
    await harness.pass();
  }

  it('is adopted without a restart', async () => {
    const runtimeId = await harness.runtime.plant(web);
    await start(web);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.service('web').instances[0]?.runtimeId).toBe(runtimeId);
    expect(['prepare', 'create', 'start', 'stop'].map((method) => harness.runtime.count(method as 'stop'))).toEqual([
      0, 0, 0, 0,
    ]);
    expect(harness.runtime.starts('web')).toBe(0);
  });

  it('is told as ready, not as started once more', async () => {
    await harness.runtime.plant(web);
    await start(web);
    expect(harness.eventTypes('web')).toEqual(['instance.ready']);
    expect(harness.eventsOf('instance.ready')[0]?.data).toMatchObject({ reason: 'adopted' });
  });

  it('must serve before it is offered, and is waited for without holding up the start', async () => {
    await harness.runtime.plant(web);
    harness.prober.refuse('web');
    await start(web);
    expect(harness.states('web')).toEqual(['probing']);
    expect(harness.data.offered('web')).toEqual([]);
    expect(harness.data.view('web').status).toBe('waking');
    harness.prober.accept('web');
    await harness.pass(100);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('is made anew when it never serves, and serves then', async () => {
    await harness.runtime.plant(web);
    harness.prober.refuse('web');
    await start(web);
    await harness.pass(60_000);
    expect(harness.data.view('web')).toMatchObject({ status: 'failed', failure: { code: 'not_ready_in_time' } });
    harness.prober.accept('web');
    await harness.fleet.wake('web');
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('goes to sleep when it stays idle, counted from the adoption', async () => {
    await harness.runtime.plant(web);
    await start(web);
    await harness.pass(15 * 60_000 - 1);
    expect(harness.service('web').status).toBe('awake');
    await harness.pass(1_000);
    expect(harness.service('web').status).toBe('asleep');
  });

  it('is known to sleep when it is stopped or paused, and is not started', async () => {
    await harness.runtime.plant(web, 1, 'created');
    const api = fleetSpec('api');
    await harness.runtime.plant(api, 1, 'paused');
    await start(web, api);
    expect(harness.states('web')).toEqual(['stopped']);
    expect(harness.states('api')).toEqual(['paused']);
    expect([harness.service('web').status, harness.service('api').status]).toEqual(['asleep', 'asleep']);
    await harness.fleet.wake('api');
    expect(harness.data.offered('api')).toEqual(['api-1']);
  });

  it('adopts all instances of a service', async () => {
    const wide = { ...web, scale: { min: 0, max: 3, cooldownMs: 0 } };
    for (const index of [1, 2, 3]) await harness.runtime.plant(wide, index);
    await start(wide);
    expect(harness.data.offered('web')).toEqual(['web-1', 'web-2', 'web-3']);
  });

  it('is removed when no service of the manifest owns it', async () => {
    await harness.runtime.plant(fleetSpec('gone'));
    await harness.runtime.plant(web);
    await start(web);
    expect((await harness.runtime.list()).map(({ key }) => key.service)).toEqual(['web']);
    expect(harness.logged.some(({ msg }) => msg.includes('removing gone-1'))).toBe(true);
  });

  it('is removed when there may be fewer instances than that', async () => {
    for (const index of [1, 2, 3]) await harness.runtime.plant(web, index);
    await start(web);
    expect((await harness.runtime.list()).map(({ key }) => key.index)).toEqual([1]);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('does not fail the start of the rest when one cannot be removed', async () => {
    await harness.runtime.plant(fleetSpec('gone'));
    await harness.runtime.plant(web);
    harness.runtime.removeInstance = () => Promise.reject(new RuntimeError('internal', 'in use'));
    await start(web);
    expect(harness.data.offered('web')).toEqual(['web-1']);
    expect(harness.logged.some(({ msg }) => msg.includes('gone could not be brought in line: in use'))).toBe(true);
  });

  describe('from an old configuration', () => {
    it('serves until the new image is there, and is replaced then', async () => {
      await harness.runtime.plant(old);
      const release = harness.runtime.hold('prepare', 'web');
      await start(web);
      await harness.pass(5_000);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.count('stop')).toBe(0);
      release();
      await harness.pass(100);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.service('web').instances[0]?.configHash).toBe(harness.runtime.configHash(web));
      expect(harness.runtime.starts('web')).toBe(1);
    });

    it('goes on serving when the build fails', async () => {
      await harness.runtime.plant(old);
      harness.runtime.behave('web', { prepareFails: new RuntimeError('build_failed', 'no such file') });
      await start(web);
      await harness.pass(1_000);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.count('stop')).toBe(0);
      expect(harness.logged.some(({ msg }) => msg.includes('web runs on from an old configuration'))).toBe(true);
    });

    it('is left asleep, and made anew with the next wake', async () => {
      await harness.runtime.plant(old, 1, 'created');
      await start(web);
      expect(harness.states('web')).toEqual(['stopped']);
      await harness.fleet.wake('web');
      expect(harness.service('web').instances[0]?.configHash).toBe(harness.runtime.configHash(web));
    });

    it('drains before it is replaced', async () => {
      await harness.runtime.plant(old);
      const release = harness.runtime.hold('prepare', 'web');
      await start(web);
      const end = harness.data.request('web');
      release();
      await harness.pass(5_000);
      expect(harness.states('web')).toEqual(['draining']);
      expect(harness.runtime.count('stop')).toBe(0);
      end();
      await harness.pass(100);
      expect(harness.runtime.starts('web')).toBe(1);
    });
  });

  describe('when the runtime comes up later', () => {
    beforeEach(() => harness.runtime.setCondition(AWAY));

    it('is adopted then, and the daemon starts without it', async () => {
      await harness.runtime.plant(web);
      await start(web);
      expect(harness.data.view('web').status).toBe('asleep');
      harness.runtime.setCondition({ up: true });
      await harness.pass();
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.starts('web')).toBe(0);
    });

    it('is the always running that is started then', async () => {
      await start(fleetSpec('web', { scale: { min: 1, max: 1, cooldownMs: 0 } }));
      expect(harness.states('web')).not.toContain('ready');
      harness.runtime.setCondition({ up: true });
      await harness.pass(100);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.starts('web')).toBe(1);
    });

    it('adopts the always running that runs already instead of starting it', async () => {
      const always = fleetSpec('web', { scale: { min: 1, max: 1, cooldownMs: 0 } });
      await harness.runtime.plant(always);
      await start(always);
      harness.runtime.setCondition({ up: true });
      await harness.pass(1_000);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.starts('web')).toBe(0);
    });
  });
});
