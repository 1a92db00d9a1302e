import { describe, expect, it } from 'vitest';
import type { StateStore } from '../../../src/fleet/state-store.ts';
import { ago, sessionRecord } from './records.ts';

export function sessionsSuite(store: () => StateStore): void {
  describe('sessions', () => {
    it('returns them as they were saved, the last seen first', async () => {
      const older = sessionRecord('a', { lastSeenAt: ago(5_000) });
      const newer = sessionRecord('b', { lastSeenAt: ago(1_000), instanceId: 'web-2' });
      await store().saveSessions([older, newer]);
      expect(await store().listSessions({ limit: 10 })).toEqual([newer, older]);
      expect(await store().listSessions({ limit: 1 })).toEqual([newer]);
    });

    it('finds those of a service, of an instance, and those seen since', async () => {
      await store().saveSessions([
        sessionRecord('a'),
        sessionRecord('b', { instanceId: 'web-2' }),
        sessionRecord('c', { service: 'api', instanceId: 'api-1', lastSeenAt: ago(9_000) }),
      ]);
      const ids = async (query: object): Promise<string[]> =>
        (await store().listSessions({ limit: 10, ...query })).map(({ _id }) => _id).sort();
      expect(await ids({ service: 'web' })).toEqual(['a', 'b']);
      expect(await ids({ service: 'web', instance: 'web-2' })).toEqual(['b']);
      expect(await ids({ since: ago(5_000) })).toEqual(['a', 'b']);
    });

    it('keeps when a client was first seen, and where it was seen last', async () => {
      const first = sessionRecord('a', { createdAt: ago(9_000), lastSeenAt: ago(8_000) });
      const later = sessionRecord('a', { createdAt: ago(7_000), lastSeenAt: ago(2_000), instanceId: 'web-2' });
      await store().saveSessions([first]);
      await store().saveSessions([later]);
      expect(await store().listSessions({ limit: 10 })).toEqual([{ ...later, createdAt: first.createdAt }]);
    });

    it('does not let a late write undo a newer one, also within one call', async () => {
      const first = sessionRecord('a', { createdAt: ago(9_000), lastSeenAt: ago(8_000) });
      const later = sessionRecord('a', { createdAt: ago(7_000), lastSeenAt: ago(2_000), instanceId: 'web-2' });
      await store().saveSessions([later]);
      await store().saveSessions([first]);
      const expected = [{ ...later, createdAt: first.createdAt }];
      expect(await store().listSessions({ limit: 10 })).toEqual(expected);
      await store().saveSessions([first, later, first]);
      expect(await store().listSessions({ limit: 10 })).toEqual(expected);
    });

    it('counts them by instance, and those that have expired not at all', async () => {
      await store().saveSessions([
        sessionRecord('a'),
        sessionRecord('b'),
        sessionRecord('c', { instanceId: 'web-2' }),
        sessionRecord('d', { expiresAt: ago(1) }),
        sessionRecord('e', { service: 'api' }),
      ]);
      expect(await store().countSessions('web')).toEqual(
        new Map([
          ['web-1', 2],
          ['web-2', 1],
        ]),
      );
      expect((await store().listSessions({ service: 'web', limit: 10 })).map(({ _id }) => _id).sort()).toEqual([
        'a',
        'b',
        'c',
      ]);
      expect(await store().countSessions('nobody')).toEqual(new Map());
    });

    it('is not taken in by what looks like a command', async () => {
      const record = sessionRecord('$set', { clientHint: '$lastSeenAt', instanceId: '$where' });
      await store().saveSessions([record]);
      await store().saveSessions([record]);
      expect(await store().listSessions({ limit: 10 })).toEqual([record]);
    });

    it('saves nothing without complaint', async () => {
      await store().saveSessions([]);
      await store().saveEvents([]);
      await store().saveSamples([]);
      expect(await store().listSessions({ limit: 10 })).toEqual([]);
    });
  });
}
