import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../src/fleet/errors.ts';
import {
  fleetSpec,
  type FleetHarness,
  manifestOf,
  startFleet,
  watch,
  type Watched,
} from '../../support/set-ups/fleet.ts';

const urls = { kind: 'url', urls: ['http://10.0.0.1:81'] } as const;

describe('an edited manifest', () => {
  const web = fleetSpec('web');
  const api = fleetSpec('api');
  let harness: FleetHarness;
  beforeEach(async () => {
    harness = await startFleet(web, api);
    await harness.fleet.wake('web');
    await harness.fleet.wake('api');
    await harness.pass();
  });

  function apply(...specs: ServiceSpec[]): Watched<Awaited<ReturnType<typeof harness.fleet.apply>>> {
    return watch(harness.fleet.apply(manifestOf(...specs)));
  }

  it('says what it added, changed and removed', async () => {
    const applied = apply({ ...web, sticky: true }, fleetSpec('new'));
    await harness.pass();
    const change = { added: ['new'], changed: ['web'], removed: ['api'] };
    expect(applied.value).toEqual(change);
    expect(harness.eventsOf('manifest.applied')).toMatchObject([{ service: 'proxy', data: change }]);
  });

  it('says what the next edit waits for when it removed what is in use', async () => {
    const told = (): unknown[] => harness.logged.filter(({ msg }) => /the next edit waits/.test(msg));
    const end = harness.data.request('web');
    const applied = apply();
    await harness.pass();
    expect(applied.settled).toBe(false);
    expect(told()).toMatchObject([{ services: ['web'], msg: expect.stringMatching(/DRAIN_TIMEOUT/) as string }]);
    end();
    await harness.pass();
    expect(applied.settled).toBe(true);
  });

  it('does not touch what did not change', async () => {
    const calls = harness.runtime.calls.length;
    const updates = harness.data.updates.length;
    const member = harness.fleet.member('web');
    apply(fleetSpec('web'), fleetSpec('api'));
    await harness.pass(1_000);
    expect(harness.runtime.calls).toHaveLength(calls);
    expect(harness.data.updates).toHaveLength(updates);
    expect(harness.fleet.member('web')).toBe(member);
  });

  it('changes routes without a restart', async () => {
    const routes = [{ host: 'other.test', path: '/', port: 3_000 }];
    apply({ ...web, routes }, api);
    await harness.pass(1_000);
    expect(harness.data.view('web')).toMatchObject({ status: 'awake', routes });
    expect(harness.runtime.starts('web')).toBe(1);
    expect(harness.runtime.count('stop')).toBe(0);
    expect(harness.data.offered('web')).toEqual(['web-1']);
  });

  it('lets a new service be woken', async () => {
    apply(web, api, fleetSpec('new'));
    expect(harness.data.view('new').status).toBe('asleep');
    await harness.fleet.wake('new');
    expect(harness.data.offered('new')).toEqual(['new-1']);
  });

  it('starts at once what must always run', async () => {
    apply(
      web,
      { ...api, scale: { min: 2, max: 2, cooldownMs: 0 } },
      fleetSpec('new', { scale: { min: 1, max: 1, cooldownMs: 0 } }),
    );
    await harness.pass();
    expect(harness.states('new')).toEqual(['ready']);
    expect(harness.service('api').desired).toBe(2);
  });

  describe('that removes a service', () => {
    it('takes it from the data half at once, and ends it when its last request has', async () => {
      const end = harness.data.request('api');
      const applied = apply(web);
      await harness.pass(20_000);
      expect(harness.data.knows('api')).toBe(false);
      expect(harness.runtime.count('stop', 'api-1')).toBe(0);
      expect(applied.settled).toBe(false);
      end();
      await harness.pass();
      expect(await harness.runtime.list()).toMatchObject([{ key: { service: 'web' } }]);
      expect(applied.settled).toBe(true);
    });

    it('does not wait for its requests beyond the time for draining', async () => {
      harness.data.request('api');
      apply(web);
      await harness.pass(29_999);
      expect(harness.runtime.count('stop', 'api-1')).toBe(0);
      await harness.pass(1);
      expect(harness.runtime.count('remove', 'api-1')).toBe(1);
    });

    it('refuses to wake it and forgets it in the store', async () => {
      apply(web);
      await harness.pass(250);
      await expect(harness.fleet.wake('api')).rejects.toMatchObject({ code: 'unknown_service' });
      expect((await harness.store.listServices()).map(({ _id }) => _id)).toEqual(['web']);
    });

    it('leaves those alone that drain when everything is compared meanwhile', async () => {
      const end = harness.data.request('api');
      await harness.pass(45_000);
      apply(web);
      await harness.pass(20_000);
      expect(harness.runtime.count('list')).toBe(2);
      expect(harness.runtime.count('remove', 'api-1')).toBe(0);
      end();
      await harness.pass();
      expect(harness.runtime.count('remove', 'api-1')).toBe(1);
    });

    it('ends it at once when nothing is in flight, although other services change as well', async () => {
      harness.realDispatcher();
      const applied = apply(fleetSpec('new'), fleetSpec('newer'));
      await harness.pass();
      expect(await harness.runtime.list()).toEqual([]);
      expect(applied.settled).toBe(true);
    });

    it('says nothing of it any more although its build still tells how far it is', async () => {
      const prepare = vi.spyOn(harness.runtime, 'prepare').mockReturnValue(new Promise(() => undefined));
      apply(web, api, fleetSpec('late'));
      watch(harness.fleet.wake('late'));
      await harness.pass();
      apply(web, api);
      prepare.mock.calls[0]?.[1].onProgress({ phase: 'build', detail: 'Step 2/2' });
      await harness.pass(10_000);
      expect(harness.data.knows('late')).toBe(false);
      expect((await harness.runtime.list()).map(({ key }) => key.service)).toEqual(['web', 'api']);
    });
  });

  describe('that changes who runs a service', () => {
    it('drains and removes the instances of one that others run from now on', async () => {
      const end = harness.data.request('api');
      apply(web, { ...api, source: urls });
      expect(harness.data.upstreams('api')[0]?.endpoints[3_000]).toEqual({ host: '10.0.0.1', port: 81 });
      await harness.pass(1_000);
      expect(harness.runtime.count('stop', 'api-1')).toBe(0);
      end();
      await harness.pass();
      expect(harness.runtime.count('remove', 'api-1')).toBe(1);
      expect(() => harness.fleet.managed('api')).toThrow('run by somebody else');
    });

    it('lets the requests end that the old instances still serve', async () => {
      const dispatcher = harness.realDispatcher();
      const lease = dispatcher.pool('api')?.acquire({ port: 3_000 });
      apply(web, { ...api, source: urls });
      dispatcher.pool('api')?.acquire({ port: 3_000 })?.release('served');
      await harness.pass(1_000);
      expect(harness.runtime.count('stop', 'api-1')).toBe(0);
      lease?.release('served');
      await harness.pass();
      expect(harness.runtime.count('remove', 'api-1')).toBe(1);
    });

    it('wakes one that we run from now on, and checks the old address no longer', async () => {
      apply(web, { ...api, source: urls });
      await harness.pass(60_000);
      apply(web, api);
      await harness.pass();
      const checks = harness.prober.calls.filter(({ endpoint }) => endpoint.port === 81).length;
      expect(harness.data.view('api').status).toBe('asleep');
      await harness.fleet.wake('api');
      await harness.pass(60_000);
      expect(harness.data.offered('api')).toEqual(['api-1']);
      expect(harness.prober.calls.filter(({ endpoint }) => endpoint.port === 81)).toHaveLength(checks);
    });
  });

  describe('that changes what a service is made from', () => {
    const edited = { ...web, env: { COLOUR: 'blue' } };

    it('has the new image before it stops anything, and makes the instance anew', async () => {
      const release = harness.runtime.hold('prepare', 'web');
      apply(edited, api);
      await harness.pass(5_000);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.count('stop', 'web-1')).toBe(0);
      release();
      await harness.pass();
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.starts('web')).toBe(2);
      expect(harness.service('web').instances[0]?.configHash).toBe(harness.runtime.configHash(edited));
    });

    it('keeps the old one serving when the build fails', async () => {
      harness.runtime.behave('web', { prepareFails: new RuntimeError('build_failed', 'no such file') });
      const applied = apply(edited, api);
      await harness.pass(30_000);
      expect(applied.settled).toBe(true);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.runtime.count('stop', 'web-1')).toBe(0);
      expect(harness.eventTypes('web')).not.toContain('service.failed');
      expect(harness.logged.some(({ msg }) => msg.includes('web keeps its old instances: no such file'))).toBe(true);
    });

    it('makes it from the new one when it sleeps, with the next wake', async () => {
      await harness.service('web').sleep('operator', 'stop');
      apply(edited, api);
      await harness.pass(1_000);
      expect(harness.states('web')).toEqual(['stopped']);
      await harness.fleet.wake('web');
      expect(harness.service('web').instances[0]?.configHash).toBe(harness.runtime.configHash(edited));
      expect(harness.runtime.starts('web')).toBe(2);
    });

    it('takes it over as soon as a wake that was under way has ended', async () => {
      await harness.service('web').sleep('operator', 'stop');
      harness.prober.refuse('web');
      const wake = watch(harness.fleet.wake('web'));
      await harness.pass(100);
      expect(harness.states('web')).toEqual(['probing']);
      apply(edited, api);
      await harness.pass(100);
      harness.prober.accept('web');
      await harness.pass(1_000);
      expect(wake.settled).toBe(true);
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.service('web').instances[0]?.configHash).toBe(harness.runtime.configHash(edited));
    });

    it('lets a wake end that was building, though the port is another now', async () => {
      await harness.service('web').sleep('operator', 'remove');
      const release = harness.runtime.hold('prepare', 'web');
      const wake = watch(harness.fleet.wake('web'));
      await harness.pass();
      apply({ ...web, port: 4000 }, api);
      release();
      await harness.pass(1_000);
      expect(wake.error).toBeUndefined();
      expect(wake.value).toBeDefined();
    });

    it('lets those wait for the replacement who come for its new port', async () => {
      const release = harness.runtime.hold('prepare', 'web');
      apply({ ...web, port: 4000 }, api);
      await harness.pass();
      const wake = watch(harness.fleet.wake('web'));
      await harness.pass(1_000);
      expect(wake.settled).toBe(false);
      release();
      await harness.pass(1_000);
      expect(wake.value).toBeDefined();
      expect(harness.data.upstreams('web')[0]?.endpoints).toHaveProperty('4000');
    });

    it('never makes an instance of a new entry from what was prepared for the old one', async () => {
      await harness.service('web').sleep('operator', 'remove');
      const prepared: string[] = [];
      const create = vi.spyOn(harness.runtime, 'create');
      const prepare = harness.runtime.prepare.bind(harness.runtime);
      vi.spyOn(harness.runtime, 'prepare').mockImplementation(async (spec, options) => {
        const imageId = `image-${prepared.push(JSON.stringify(spec.env))}`;
        return { ...(await prepare(spec, options)), imageId };
      });
      const release = harness.runtime.hold('prepare', 'web');
      const wake = watch(harness.fleet.wake('web'));
      await harness.pass();
      apply(edited, api);
      release();
      await harness.pass(1_000);
      expect(wake.value).toBeDefined();
      const made = create.mock.calls.map(([spec, , { imageId }]) => `${imageId} ${JSON.stringify(spec.env)}`);
      expect(made).toEqual(['image-1 {}', 'image-2 {"COLOUR":"blue"}']);
      expect(prepared).toEqual(['{}', '{"COLOUR":"blue"}']);
    });

    it('removes the instances above the new limit', async () => {
      const wide = { ...web, scale: { min: 0, max: 3, cooldownMs: 0 } };
      apply(wide, api);
      await harness.service('web').scale(3);
      await harness.pass();
      apply(web, api);
      await harness.pass();
      expect(harness.data.offered('web')).toEqual(['web-1']);
      expect(harness.service('web').desired).toBe(1);
      expect(harness.runtime.starts('web')).toBe(3);
      expect(harness.runtime.count('remove')).toBe(2);
    });
  });
});
