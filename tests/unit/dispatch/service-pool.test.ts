import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ActivityReports } from '../../../src/dispatch/activity-reports.ts';
import { ServicePool, type LeaseWish } from '../../../src/dispatch/service-pool.ts';
import type { Lease } from '../../../src/dispatch/lease.ts';
import { deferred, type Deferred } from '../../../src/lib/deferred.ts';
import type { ActivityReport, WakeTimings } from '../../../src/seam/control-link.ts';
import type { ServiceView, UpstreamView } from '../../../src/seam/fleet-view.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { mockLink } from '../../support/fakes/mock-link.ts';
import { awakeView, serviceView } from '../../support/samples/service-view.ts';

const WISH: LeaseWish = { port: 3000 };
const never = new AbortController().signal;

function upstreams(...ids: string[]): UpstreamView[] {
  return ids.map((id, index) => ({ id, endpoints: { 3000: { host: '127.0.0.1', port: 20_001 + index } } }));
}

function awake(...ids: string[]): ServiceView {
  return awakeView({ upstreams: upstreams(...ids), breaker: { failures: 2, openForMs: 30_000 } });
}

describe('ServicePool', () => {
  let clock: FakeClock;
  let wakes: Deferred<WakeTimings>[];
  let reports: ActivityReport[];
  let activity: ActivityReports;
  const link = mockLink();
  beforeEach(() => {
    vi.resetAllMocks();
    clock = new FakeClock();
    wakes = [];
    reports = [];
    link.reportActivity.mockImplementation((told) => void reports.push(...told));
    activity = new ActivityReports(clock, link);
    link.wake.mockImplementation(() => {
      const wake = deferred<WakeTimings>();
      wakes.push(wake);
      return wake.promise;
    });
  });

  function poolOf(view: ServiceView, version = 1): ServicePool {
    const pool = new ServicePool(view, { clock, link, activity, random: () => 0 });
    apply(pool, view, version);
    reports.length = 0;
    return pool;
  }

  function apply(pool: ServicePool, view: ServiceView, version: number): void {
    pool.apply(view);
    activity.applied(version);
  }

  /** What was reported since the last look: `web-1=2@7` is two in flight on web-1, seen with version 7. */
  function reported(): string[] {
    return reports.splice(0).map(({ instanceId, inFlight, seenVersion }) => `${instanceId}=${inFlight}@${seenVersion}`);
  }

  function acquire(pool: ServicePool, wish: Partial<LeaseWish> = {}): Lease {
    const lease = pool.acquire({ ...WISH, ...wish });
    if (!lease) throw new Error('nobody to send it to');
    return lease;
  }

  function trip(pool: ServicePool, id: string): void {
    for (let n = 0; n < 2; n += 1) acquire(pool, { prefer: id }).release('failed');
  }

  describe('choosing an instance', () => {
    it('finds nobody while the service sleeps', () => {
      expect(poolOf(serviceView()).acquire(WISH)).toBeUndefined();
    });

    it('finds nobody for a port that no route names, and counts nothing', () => {
      const pool = poolOf(awake('web-1'));
      expect(pool.acquire({ port: 9 })).toBeUndefined();
      expect(pool.inFlight).toBe(0);
    });

    it('leads to the endpoint of the port that was asked for', () => {
      const endpoints = { 3000: { host: '127.0.0.1', port: 1 }, 4000: { host: '127.0.0.1', port: 2 } };
      const pool = poolOf(awakeView({ upstreams: [{ id: 'web-1', endpoints }] }));
      expect(acquire(pool, { port: 4000 }).endpoint).toEqual({ host: '127.0.0.1', port: 2 });
    });

    it('spreads what is equally busy', () => {
      const pool = poolOf(awake('web-1', 'web-2', 'web-3'));
      const ids = [1, 2, 3].map(() => acquire(pool).instanceId);
      expect(new Set(ids)).toEqual(new Set(['web-1', 'web-2', 'web-3']));
    });

    it('keeps a client where it belongs, however busy that is', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      const ids = [1, 2, 3].map(() => acquire(pool, { prefer: 'web-2' }).instanceId);
      expect(ids).toEqual(['web-2', 'web-2', 'web-2']);
    });

    it('sends a client elsewhere when its instance is gone or failing', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      expect(pool.acquire({ ...WISH, prefer: 'web-9' })).toBeDefined();
      trip(pool, 'web-2');
      expect(acquire(pool, { prefer: 'web-2' }).instanceId).toBe('web-1');
    });

    it('avoids an instance that has just failed the request, even the one that the client belongs to', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      const ids = [1, 2, 3].map(() => acquire(pool, { prefer: 'web-1', avoid: 'web-1' }).instanceId);
      expect(ids).toEqual(['web-2', 'web-2', 'web-2']);
    });

    it('takes the instance to be avoided when there is no other', () => {
      expect(acquire(poolOf(awake('web-1')), { avoid: 'web-1' }).instanceId).toBe('web-1');
      const pool = poolOf(awake('web-1', 'web-2'));
      trip(pool, 'web-2');
      expect(acquire(pool, { avoid: 'web-1' }).instanceId).toBe('web-1');
    });
  });

  describe('breakers', () => {
    it('passes by an instance that keeps failing, and says so', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      trip(pool, 'web-1');
      expect(link.reportBreaker.mock.calls).toEqual([[{ service: 'web', instanceId: 'web-1', open: true }]]);
      expect([1, 2, 3].map(() => acquire(pool).instanceId)).toEqual(['web-2', 'web-2', 'web-2']);
    });

    it('sends one request to the instance that may be well again', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      trip(pool, 'web-1');
      clock.advance(30_000);
      const ids = [1, 2, 3, 4].map(() => acquire(pool).instanceId);
      expect(ids.filter((id) => id === 'web-1')).toHaveLength(1);
    });

    it('refuses at once when all are open, and asks nobody to wake', async () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      trip(pool, 'web-1');
      clock.advance(10_000);
      trip(pool, 'web-2');
      expect(pool.acquire(WISH)).toBeUndefined();
      await expect(pool.wait(never)).rejects.toMatchObject({ code: 'breaker_open', retryAfterMs: 20_000 });
      expect(link.wake).not.toHaveBeenCalled();
    });

    it('stay as they are over an update, and follow its limits', () => {
      const pool = poolOf(awake('web-1'));
      trip(pool, 'web-1');
      pool.apply({ ...awake('web-1'), breaker: { failures: 9, openForMs: 1 } });
      expect(pool.acquire(WISH)).toBeUndefined();
      clock.advance(30_000);
      acquire(pool).release('failed');
      clock.advance(1);
      expect(pool.acquire(WISH)).toBeDefined();
    });

    it('begin anew with an instance that comes back', () => {
      const pool = poolOf(awake('web-1'));
      trip(pool, 'web-1');
      pool.apply(serviceView());
      pool.apply(awake('web-1'));
      expect(pool.acquire(WISH)).toBeDefined();
    });
  });

  describe('reports', () => {
    it('tells soon how busy an instance is, once', () => {
      const pool = poolOf(awake('web-1'), 7);
      const leases = [1, 2, 3, 4].map(() => acquire(pool));
      leases[0]!.release('served');
      expect(reported()).toEqual([]);
      clock.advance(50);
      expect(reported()).toEqual(['web-1=3@7']);
      expect(clock.pendingCount).toBe(0);
      for (const lease of leases) lease.release('served');
      clock.advance(50);
      expect(reported()).toEqual(['web-1=3@7', 'web-1=0@7']);
    });

    it('still tells of requests that came and went in between, and of all instances in one go', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      for (const prefer of ['web-1', 'web-2']) acquire(pool, { prefer }).release('served');
      clock.advance(50);
      expect(reported()).toEqual(['web-1=1@1', 'web-1=0@1', 'web-2=1@1', 'web-2=0@1']);
      expect(link.reportActivity).toHaveBeenCalledTimes(2);
      clock.advance(1_000);
      expect(reported()).toEqual([]);
    });

    it('tells after each update what it keeps busy, with the version that it has seen', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      acquire(pool, { prefer: 'web-2' });
      reported();
      apply(pool, awake('web-1', 'web-2'), 8);
      expect(reported().sort()).toEqual(['web-1=0@8', 'web-2=1@8']);
    });

    it('tells that an instance is drained when it is no longer offered, at once or with the last request', () => {
      const pool = poolOf(awake('web-1', 'web-2'));
      const leases = [acquire(pool, { prefer: 'web-2' }), acquire(pool, { prefer: 'web-2' })];
      reported();
      apply(pool, serviceView(), 4);
      expect(reported().sort()).toEqual(['web-1=0@4', 'web-2=2@4']);
      leases[0]!.release('served');
      expect(reported()).toEqual([]);
      leases[1]!.release('served');
      expect(reported()).toEqual(['web-2=2@4', 'web-2=0@4']);
    });

    it('tells of one that is leaving with every update until its last request has ended', () => {
      const pool = poolOf(awake('web-1'));
      const lease = acquire(pool);
      apply(pool, serviceView(), 2);
      reported();
      apply(pool, serviceView(), 3);
      expect(reported()).toEqual(['web-1=1@3']);
      lease.release('served');
      reported();
      apply(pool, serviceView(), 4);
      expect(reported()).toEqual([]);
    });
  });

  describe('an update', () => {
    it('keeps the counts of what stays and sends new requests to where it is now', () => {
      const pool = poolOf(awake('web-1'));
      const old = acquire(pool);
      const moved = { host: '127.0.0.1', port: 9 };
      pool.apply(awakeView({ upstreams: [{ id: 'web-1', endpoints: { 3000: moved } }] }));
      expect(pool.inFlight).toBe(1);
      expect(acquire(pool).endpoint).toEqual(moved);
      expect(old.endpoint).not.toEqual(moved);
      old.release('served');
      expect(pool.inFlight).toBe(1);
    });

    it('takes back one that was leaving, together with its requests', () => {
      const pool = poolOf(awake('web-1'));
      const lease = acquire(pool);
      pool.apply(serviceView());
      expect(pool.inFlight).toBe(0);
      pool.apply(awake('web-1'));
      expect(pool.inFlight).toBe(1);
      lease.release('served');
      expect(pool.inFlight).toBe(0);
    });
  });

  describe('waiting', () => {
    it('asks for one wake however many wait, and admits them all with its timings', async () => {
      const pool = poolOf(serviceView());
      const waiting = [pool.wait(never), pool.wait(never), pool.wait(never)];
      expect(pool.waiting).toBe(3);
      expect(link.wake.mock.calls).toEqual([['web']]);
      wakes[0]!.resolve({ totalMs: 12 });
      expect(await Promise.all(waiting)).toEqual([{ totalMs: 12 }, { totalMs: 12 }, { totalMs: 12 }]);
      expect(pool.waiting).toBe(0);
    });

    it('asks again for who comes after a wake has ended', async () => {
      const pool = poolOf(serviceView());
      const first = pool.wait(never);
      wakes[0]!.resolve({ totalMs: 1 });
      await first;
      const second = pool.wait(never);
      wakes[1]!.resolve({ totalMs: 2 });
      expect(await second).toEqual({ totalMs: 2 });
    });

    it('tells all who wait why the wake failed, and tries again for the next', async () => {
      const pool = poolOf(serviceView());
      const waiting = [pool.wait(never), pool.wait(never)];
      const reason = new Error('the build failed');
      wakes[0]!.reject(reason);
      for (const each of waiting) await expect(each).rejects.toBe(reason);
      void pool.wait(never);
      expect(link.wake).toHaveBeenCalledTimes(2);
    });

    it('wakes nothing for a client that has left already', async () => {
      await expect(poolOf(serviceView()).wait(AbortSignal.abort())).rejects.toThrow();
      expect(link.wake).not.toHaveBeenCalled();
    });

    it('shares a wake that goes on although those who wanted it have left', async () => {
      const pool = poolOf(serviceView());
      const client = new AbortController();
      const leaving = pool.wait(client.signal);
      client.abort(new Error('left'));
      await expect(leaving).rejects.toThrow('left');
      const later = pool.wait(never);
      wakes[0]!.resolve({ totalMs: 3 });
      expect(await later).toEqual({ totalMs: 3 });
      expect(link.wake).toHaveBeenCalledTimes(1);
    });

    it('refuses beyond the limit without a further wake', async () => {
      const view = serviceView();
      const pool = poolOf({ ...view, wake: { ...view.wake, maxWaiting: 1 } });
      void pool.wait(never);
      await expect(pool.wait(never)).rejects.toMatchObject({ code: 'waiting_room_full' });
      expect(link.wake).toHaveBeenCalledTimes(1);
    });

    it('sends those who wait away when the proxy ends', async () => {
      const pool = poolOf(serviceView());
      const waiting = pool.wait(never);
      pool.turnAway();
      await expect(waiting).rejects.toMatchObject({ code: 'draining', service: 'web' });
    });
  });

  describe('close', () => {
    it('sends those who wait away and offers nothing any more', async () => {
      const pool = poolOf(awake('web-1'));
      const waiting = pool.wait(never);
      pool.close();
      await expect(waiting).rejects.toMatchObject({ code: 'no_upstream' });
      expect(pool.acquire(WISH)).toBeUndefined();
      wakes[0]!.resolve({ totalMs: 1 });
      await settle();
    });

    it('goes on reporting until the last request has ended', () => {
      const pool = poolOf(awake('web-1'));
      const lease = acquire(pool);
      reported();
      pool.close();
      activity.applied(5);
      expect(reported()).toEqual(['web-1=1@5']);
      lease.release('served');
      expect(reported()).toEqual(['web-1=1@5', 'web-1=0@5']);
    });
  });
});
