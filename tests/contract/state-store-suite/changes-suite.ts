import { describe, expect, it } from 'vitest';
import type { StateStore, StoreChange } from '../../../src/fleet/state-store.ts';
import { serviceRecord, sessionRecord } from './records.ts';
import { untilPasses } from '../../support/until.ts';

/** @param openSecond a second store on the same place; undefined where there can be only one */
export function changesSuite(store: () => StateStore, openSecond: () => Promise<StateStore | undefined>): void {
  function watch(watched: StateStore): { changes: StoreChange[]; stop: () => void } {
    const changes: StoreChange[] = [];
    const stop = watched.watch((change) => {
      if (change.kind !== 'reread') changes.push(change);
    });
    return { changes, stop };
  }

  describe('changes', () => {
    it('tells of its own, in order', async () => {
      const { changes, stop } = watch(store());
      const session = sessionRecord('a');
      await store().putService(serviceRecord('web'));
      await store().putService(serviceRecord('web', { rev: 2, status: 'asleep' }));
      await store().saveSessions([session]);
      await store().removeService('web');
      await untilPasses(() => expect(changes).toHaveLength(4));
      expect(changes).toEqual([
        // What is told of a record may be newer than the change that it is told for.
        expect.objectContaining({ kind: 'service' }),
        { kind: 'service', record: serviceRecord('web', { rev: 2, status: 'asleep' }) },
        { kind: 'session', record: session },
        { kind: 'service-removed', name: 'web' },
      ]);
      stop();
    });

    it('tells nothing of a write that it ignored, and nothing after the way out was taken', async () => {
      await store().putService(serviceRecord('web', { rev: 5 }));
      const { changes, stop } = watch(store());
      await store().putService(serviceRecord('web', { rev: 4 }));
      await store().removeService('nothing');
      await store().putService(serviceRecord('api'));
      await untilPasses(() => expect(changes).toContainEqual({ kind: 'service', record: serviceRecord('api') }));
      stop();
      const others = watch(store());
      await store().putService(serviceRecord('last'));
      await untilPasses(() => expect(others.changes).not.toEqual([]));
      expect(changes.filter((change) => change.kind === 'service' && change.record.rev === 4)).toEqual([]);
      expect(JSON.stringify(changes)).not.toContain('last');
    });

    it('tells of processes, and forgets those that say nothing more', async () => {
      const { changes, stop } = watch(store());
      const word = { departures: [], letGo: [], wanted: [] };
      const inFlight = { web: { 'web-1': 3, 'web-2': 1 } };
      await store().putProcess({ _id: 'p1', seq: 1, inFlight, ...word }, 60_000);
      const departures = [{ id: 'p1/1', service: 'web', index: 2 }];
      const record = {
        ...{ _id: 'p1', seq: 2, inFlight: { web: { 'web-1': 0 } } },
        ...{ departures, letGo: ['p2/7'], wanted: ['p2/7'] },
      };
      await store().putProcess(record, 60_000);
      await store().putProcess({ _id: 'p2', seq: 1, inFlight: {}, ...word, ended: true }, 20);
      await untilPasses(() => expect(changes).toContainEqual({ kind: 'process', record }));
      await untilPasses(async () => expect(await store().listProcesses()).toEqual([record]));
      stop();
    });

    it('shows the changes of another process at once', async (context) => {
      const other = await openSecond();
      if (!other) return context.skip('one process at a time may have this store open');
      const { changes } = watch(other);
      await store().putService(serviceRecord('web'));
      await untilPasses(() => expect(changes).toEqual([{ kind: 'service', record: serviceRecord('web') }]));
      await other.close();
    });
  });

  describe('leases', () => {
    it('go to who asks first, and stay while they are renewed', async () => {
      expect(await store().claimLease('leader', 'a', 60_000)).toMatchObject({ holder: 'a', term: 1 });
      expect(await store().claimLease('leader', 'b', 60_000)).toMatchObject({ holder: 'a', term: 1 });
      const renewed = await store().claimLease('leader', 'a', 90_000);
      expect(renewed).toMatchObject({ holder: 'a', term: 1 });
      expect(renewed.remainingMs).toBeGreaterThan(60_000);
      expect(renewed.remainingMs).toBeLessThanOrEqual(90_000);
    });

    it('go to another, with a greater term, when they run out or are given back', async () => {
      await store().claimLease('leader', 'a', 20);
      await untilPasses(async () => {
        expect(await store().claimLease('leader', 'b', 60_000)).toMatchObject({ holder: 'b', term: 2 });
      });
      await store().releaseLease('leader', 'somebody else');
      expect(await store().claimLease('leader', 'a', 60_000)).toMatchObject({ holder: 'b' });
      await store().releaseLease('leader', 'b');
      expect(await store().claimLease('leader', 'a', 60_000)).toMatchObject({ holder: 'a', term: 3 });
    });

    it('are apart by name', async () => {
      await store().claimLease('one', 'a', 60_000);
      expect(await store().claimLease('two', 'b', 60_000)).toMatchObject({ holder: 'b', term: 1 });
    });

    it('are won by one of many who ask at once', async () => {
      const claims = ['a', 'b', 'c', 'd', 'e', 'f'].map((holder) => store().claimLease('leader', holder, 60_000));
      const holders = new Set((await Promise.all(claims)).map(({ holder }) => holder));
      expect(holders.size).toBe(1);
    });
  });
}
