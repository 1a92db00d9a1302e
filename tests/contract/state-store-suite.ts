import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ServiceRecord, StateStore } from '../../src/fleet/state-store.ts';
import { changesSuite } from './state-store-suite/changes-suite.ts';
import { historySuite } from './state-store-suite/history-suite.ts';
import { serviceRecord } from './state-store-suite/records.ts';
import { sessionsSuite } from './state-store-suite/sessions-suite.ts';

/** One place to keep state, empty at first, that stores are opened on one after the other. */
export interface StoreHarness {
  /** A store that is not started yet. */
  open(): StateStore;
  /** Whether two stores may be open at a time, as two processes would have them. */
  readonly shared?: boolean;
  /** Puts a service as an older release wrote it, or as nobody can read it, past the store. Absent where there is no such place. */
  plant?(shape: Record<string, unknown> & { readonly _id: string; readonly rev: number }): Promise<void>;
  /** Starts a store in a process of its own, puts the records, and kills it with SIGKILL as soon as they are stored. Absent where nothing outlives the process. */
  writeAndKill?(records: readonly ServiceRecord[]): Promise<void>;
  dispose(): Promise<void>;
}

/** What every StateStore promises. */
export function stateStoreSuite(name: string, createHarness: () => Promise<StoreHarness>): void {
  describe(`state store: ${name}`, () => {
    let harness: StoreHarness;
    let store: StateStore;

    beforeEach(async () => {
      harness = await createHarness();
      store = harness.open();
      await store.start();
    });

    afterEach(async () => {
      await store.close();
      await harness.dispose();
    });

    async function reopen(): Promise<void> {
      await store.close();
      store = harness.open();
      await store.start();
    }

    it('returns a record as it was put', async () => {
      const record = serviceRecord('web');
      expect(await store.putService(record)).toBe(true);
      expect(await store.getService('web')).toEqual(record);
    });

    it('knows nothing of a service that was never put', async () => {
      expect(await store.getService('web')).toBeUndefined();
      expect(await store.listServices()).toEqual([]);
    });

    it('replaces a record by one with a higher rev and ignores an equal or lower one', async () => {
      await store.putService(serviceRecord('web', { rev: 5, desired: 5 }));
      expect(await store.putService(serviceRecord('web', { rev: 5, desired: 50 }))).toBe(false);
      expect(await store.putService(serviceRecord('web', { rev: 4, desired: 40 }))).toBe(false);
      expect((await store.getService('web'))?.desired).toBe(5);
      expect(await store.putService(serviceRecord('web', { rev: 6, desired: 6 }))).toBe(true);
      expect((await store.getService('web'))?.desired).toBe(6);
    });

    it('keeps the highest rev of writes that race', async () => {
      const revs = [3, 9, 1, 7, 10, 2, 8];
      await Promise.all(revs.map((rev) => store.putService(serviceRecord('web', { rev }))));
      expect((await store.getService('web'))?.rev).toBe(10);
    });

    it('lists records by name, whatever the order of the writes', async () => {
      for (const each of ['web', 'api', 'Web', 'a-b', 'a', 'zoo', 'äpfel']) await store.putService(serviceRecord(each));
      const names = (await store.listServices()).map((record) => record._id);
      expect(names).toEqual(['Web', 'a', 'a-b', 'api', 'web', 'zoo', 'äpfel']);
    });

    it('removes a record, and takes one with any rev again afterwards', async () => {
      await store.putService(serviceRecord('web', { rev: 9 }));
      await store.putService(serviceRecord('api'));
      await store.removeService('web');
      expect(await store.getService('web')).toBeUndefined();
      expect((await store.listServices()).map((record) => record._id)).toEqual(['api']);
      expect(await store.putService(serviceRecord('web', { rev: 1 }))).toBe(true);
    });

    it('removes what is not there without complaint', async () => {
      await expect(store.removeService('web')).resolves.toBeUndefined();
    });

    it('keeps every character and is not taken in by quotes', async () => {
      const name = `o'neil"; DROP TABLE services; -- \u{1F980} 日本 \u0000é`;
      const record = serviceRecord(name, { routes: ['müller.test', '\u202Eabc', '{"v":9}'] });
      await store.putService(record);
      expect(await store.getService(name)).toEqual(record);
      expect(await store.listServices()).toEqual([record]);
    });

    it('hands out copies: changing what was put or read changes nothing stored', async () => {
      const routes = ['a.test'];
      await store.putService(serviceRecord('web', { routes }));
      routes.push('b.test');
      const read = await store.getService('web');
      (read?.routes as string[]).push('c.test');
      expect((await store.getService('web'))?.routes).toEqual(['a.test']);
    });

    it('shows the records, the removals and the revs when it is opened again', async () => {
      await store.putService(serviceRecord('web', { rev: 3 }));
      await store.putService(serviceRecord('api'));
      await store.removeService('api');
      await reopen();
      expect(await store.listServices()).toEqual([serviceRecord('web', { rev: 3 })]);
      expect(await store.putService(serviceRecord('web', { rev: 3 }))).toBe(false);
    });

    it('says that it is up between start and close, and why it is not elsewhere', async () => {
      expect(store.condition).toEqual({ up: true });
      await store.close();
      expect(store.condition.up).toBe(false);
      expect(harness.open().condition.up).toBe(false);
    });

    it('rejects every call once it is closed, with a code', async () => {
      await store.close();
      const closed = { code: 'store_closed' };
      await expect(store.putService(serviceRecord('web'))).rejects.toMatchObject(closed);
      await expect(store.getService('web')).rejects.toMatchObject(closed);
      await expect(store.listServices()).rejects.toMatchObject(closed);
      await expect(store.removeService('web')).rejects.toMatchObject(closed);
    });

    it('may be started and closed twice', async () => {
      await store.start();
      await store.close();
      await expect(store.close()).resolves.toBeUndefined();
    });

    it('shows what a process had stored when it was killed with SIGKILL', async (context) => {
      if (!harness.writeAndKill) return context.skip('this store does not outlive its process');
      await store.close();
      const records = Array.from({ length: 20 }, (_, n) => serviceRecord(`service-${String(n).padStart(2, '0')}`));
      await harness.writeAndKill(records);
      await reopen();
      expect(await store.listServices()).toEqual(records);
    });

    it('reads a record from before shapes had versions', async (context) => {
      if (!harness.plant) return context.skip('this store has no past');
      const { _id, routes, status, desired, rev, updatedAt } = serviceRecord('web', { rev: 7 });
      const old = { _id, routes, status, desired, rev, updatedAt };
      await store.close();
      await harness.plant(old);
      await reopen();
      expect(await store.getService('web')).toEqual({
        ...serviceRecord('web', { rev: 7 }),
        instances: [],
        proxyId: '',
      });
      expect(await store.putService(serviceRecord('web', { rev: 7 }))).toBe(false);
      expect(await store.putService(serviceRecord('web', { rev: 8 }))).toBe(true);
    });

    it('skips a record that nobody can read and lets any other replace it', async (context) => {
      if (!harness.plant) return context.skip('this store has no past');
      await store.putService(serviceRecord('api'));
      await store.close();
      await harness.plant({ _id: 'web', rev: 700, v: 1 });
      await reopen();
      expect((await store.listServices()).map((record) => record._id)).toEqual(['api']);
      expect(await store.getService('web')).toBeUndefined();
      expect(await store.putService(serviceRecord('web', { rev: 1 }))).toBe(true);
      expect(await store.getService('web')).toEqual(serviceRecord('web', { rev: 1 }));
    });

    sessionsSuite(() => store);
    historySuite(() => store);
    changesSuite(
      () => store,
      async () => {
        if (!harness.shared) return undefined;
        const other = harness.open();
        await other.start();
        return other;
      },
    );
  });
}
