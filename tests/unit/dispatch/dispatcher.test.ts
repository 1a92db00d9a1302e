import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Dispatcher } from '../../../src/dispatch/dispatcher.ts';
import type { FleetUpdate, ServiceView } from '../../../src/seam/fleet-view.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { mockLink } from '../../support/fakes/mock-link.ts';
import { awakeView, serviceView } from '../../support/samples/service-view.ts';

describe('Dispatcher', () => {
  const link = mockLink();
  let dispatcher: Dispatcher;
  let version: number;
  beforeEach(() => {
    vi.resetAllMocks();
    version = 0;
    dispatcher = new Dispatcher({ clock: new FakeClock(), link, random: () => 0 });
    apply({ complete: true, services: [awakeView(), named('api')] });
  });

  function named(name: string): ServiceView {
    return serviceView({ name });
  }

  function apply(change: Partial<FleetUpdate>): void {
    version += 1;
    dispatcher.apply({ version, complete: false, services: [], removed: [], ...change });
  }

  function names(): string[] {
    return [...dispatcher.pools()].map(({ name }) => name).sort();
  }

  it('has a pool for each service that it was told of, and none for others', () => {
    expect(names()).toEqual(['api', 'web']);
    expect(dispatcher.pool('web')?.view.status).toBe('awake');
    expect(dispatcher.pool('other')).toBeUndefined();
  });

  it('changes only what an update names, and keeps the pool', () => {
    const before = dispatcher.pool('web');
    const api = dispatcher.pool('api')?.view;
    apply({ services: [awakeView({ status: 'degraded' })] });
    expect(dispatcher.pool('web')).toBe(before);
    expect(before?.view.status).toBe('degraded');
    expect(dispatcher.pool('api')?.view).toBe(api);
  });

  it('drops what is removed', () => {
    const web = dispatcher.pool('web');
    apply({ removed: ['web', 'never-known'] });
    expect(names()).toEqual(['api']);
    expect(web?.acquire({ port: 3000 })).toBeUndefined();
  });

  it('takes a service that is removed and added again by one update as a new one', () => {
    const before = dispatcher.pool('web');
    apply({ removed: ['web'], services: [awakeView()] });
    expect(dispatcher.pool('web')).not.toBe(before);
    expect(dispatcher.pool('web')?.acquire({ port: 3000 })).toBeDefined();
  });

  it('forgets with a complete update whatever it does not name, and keeps the counts of the rest', () => {
    dispatcher.pool('web')?.acquire({ port: 3000 });
    apply({ complete: true, services: [awakeView(), named('new')] });
    expect(names()).toEqual(['new', 'web']);
    expect(dispatcher.pool('web')?.inFlight).toBe(1);
  });

  it('reports an instance that went with its service as drained in that version', () => {
    link.reportActivity.mockClear();
    apply({ complete: true, services: [] });
    expect(link.reportActivity.mock.calls).toEqual([
      [[{ service: 'web', instanceId: 'web-1', inFlight: 0, seenVersion: 2 }]],
    ]);
  });

  describe('with a service that leaves during a request and comes back with the same instances', () => {
    const told = (): unknown =>
      link.reportActivity.mock.calls.at(-1)?.[0].map(({ inFlight, seenVersion }) => `${inFlight}@${seenVersion}`);

    it('goes on counting the request, until it has ended', () => {
      const lease = dispatcher.pool('web')!.acquire({ port: 3000 })!;
      apply({ removed: ['web'] });
      expect(told()).toEqual(['1@2']);
      apply({ services: [awakeView()] });
      expect(told()).toEqual(['1@3']);
      const second = dispatcher.pool('web')!.acquire({ port: 3000 })!;
      lease.release('served');
      expect(dispatcher.pool('web')?.inFlight).toBe(1);
      apply({ removed: ['web'] });
      expect(told()).toEqual(['1@4']);
      second.release('served');
      expect(told()).toEqual(['1@4', '0@4']);
    });

    it('tells of it with every update, so that a new control half hears of it as well', () => {
      const lease = dispatcher.pool('web')!.acquire({ port: 3000 })!;
      apply({ removed: ['web'] });
      apply({ complete: true, services: [named('api')] });
      expect(told()).toEqual(['1@3']);
      lease.release('served');
      link.reportActivity.mockClear();
      apply({ complete: true, services: [named('api')] });
      expect(link.reportActivity).not.toHaveBeenCalled();
    });
  });

  it('sends away all who wait, for whichever service', async () => {
    link.wake.mockReturnValue(new Promise(() => undefined));
    const { signal } = new AbortController();
    const waiting = ['web', 'api'].map((name) => dispatcher.pool(name)!.wait(signal));
    dispatcher.turnAway();
    for (const each of waiting) await expect(each).rejects.toMatchObject({ code: 'draining' });
  });

  it('hands a suspicion on', async () => {
    link.suspect.mockResolvedValue();
    await dispatcher.suspect('web', 'web-1');
    expect(link.suspect).toHaveBeenCalledWith('web', 'web-1');
  });

  describe('beside other proxy processes', () => {
    it('counts their failures with its own, and reports its own to them', () => {
      const breaker = { failures: 3, openForMs: 1_000 };
      apply({ services: [awakeView({ breaker })] });
      const verdict = { service: 'web', instanceId: 'web-1', verdict: 'failed' } as const;
      dispatcher.hear({ kind: 'verdict', ...verdict });
      dispatcher.hear({ kind: 'verdict', ...verdict });
      dispatcher.hear({ kind: 'verdict', ...verdict, service: 'nobody' });
      const pool = dispatcher.pool('web');
      pool?.acquire({ port: 3000 })?.release('failed');

      expect(link.reportVerdict.mock.calls).toEqual([[verdict]]);
      expect(link.reportBreaker.mock.calls).toEqual([[{ service: 'web', instanceId: 'web-1', open: true }]]);
      expect(pool?.acquire({ port: 3000 })).toBeUndefined();
    });

    it('lets nobody wait where those who wait elsewhere are too many already, and tells how many wait here', async () => {
      link.wake.mockReturnValue(new Promise(() => undefined));
      apply({ services: [{ ...named('api'), wake: { ...named('api').wake, maxWaiting: 5 } }] });
      dispatcher.hear({ kind: 'waiting', service: 'api', waiting: 4 });
      const pool = dispatcher.pool('api');
      const left = new AbortController();
      const first = pool?.wait(left.signal);
      await expect(pool?.wait(left.signal)).rejects.toMatchObject({ code: 'waiting_room_full' });
      expect(link.reportWaiting.mock.calls).toEqual([[{ service: 'api', waiting: 1 }]]);

      left.abort();
      await expect(first).rejects.toThrow();
      expect(link.reportWaiting).toHaveBeenLastCalledWith({ service: 'api', waiting: 0 });
    });
  });
});
