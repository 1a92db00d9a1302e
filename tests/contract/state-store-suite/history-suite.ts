import { describe, expect, it } from 'vitest';
import { EVENTS_KEPT_MS, SAMPLES_KEPT_MS, type StateStore } from '../../../src/fleet/state-store.ts';
import { ago, eventRecord, sampleRecord } from './records.ts';

export function historySuite(store: () => StateStore): void {
  describe('events and samples', () => {
    it('returns events as they were saved, oldest first, the newest of them when there are too many', async () => {
      const events = [3_000, 2_000, 1_000].map((ms, n) => eventRecord(`e${n}`, { at: ago(ms) }));
      await store().saveEvents([...events].reverse());
      expect(await store().listEvents({ limit: 10 })).toEqual(events);
      expect(await store().listEvents({ limit: 2 })).toEqual(events.slice(1));
    });

    it('finds events of a service and events since an instant', async () => {
      const web = eventRecord('1', { at: ago(5_000) });
      const api = eventRecord('2', { service: 'api', at: ago(1_000) });
      await store().saveEvents([web, api]);
      expect(await store().listEvents({ service: 'web', limit: 10 })).toEqual([web]);
      expect(await store().listEvents({ since: ago(3_000), limit: 10 })).toEqual([api]);
    });

    it('keeps an event once, however often it is saved, and those saved with it', async () => {
      const event = eventRecord('1', { at: ago(2_000) });
      await store().saveEvents([event]);
      await store().saveEvents([event, eventRecord('2'), event]);
      expect((await store().listEvents({ limit: 10 })).map(({ id }) => id)).toEqual(['1', '2']);
    });

    it('shows no event of more than seven days, and no sample of more than one', async () => {
      await store().saveEvents([eventRecord('old', { at: ago(EVENTS_KEPT_MS + 60_000) }), eventRecord('new')]);
      expect((await store().listEvents({ limit: 10 })).map(({ id }) => id)).toEqual(['new']);
      const fresh = sampleRecord();
      await store().saveSamples([sampleRecord({ at: ago(SAMPLES_KEPT_MS + 60_000) }), fresh]);
      expect(await store().listSamples({ limit: 10 })).toEqual([fresh]);
    });

    it('returns samples as they were saved, oldest first, with what was not known', async () => {
      const samples = [
        sampleRecord({ at: ago(3_000), cpu: null, memory: null }),
        sampleRecord({ at: ago(2_000), instance: 'web-2' }),
        sampleRecord({ at: ago(1_000), service: 'api', instance: 'api-1', cpu: 0 }),
      ];
      await store().saveSamples(samples);
      expect(await store().listSamples({ limit: 10 })).toEqual(samples);
      expect(await store().listSamples({ service: 'web', limit: 10 })).toEqual(samples.slice(0, 2));
      expect(await store().listSamples({ service: 'web', instance: 'web-2', limit: 10 })).toEqual([samples[1]]);
      expect(await store().listSamples({ since: ago(2_500), limit: 1 })).toEqual([samples[2]]);
    });

    it('keeps a thousand samples saved at once', async () => {
      const at = ago(1_000);
      await store().saveSamples(Array.from({ length: 1_000 }, (_, n) => sampleRecord({ at, instance: `web-${n}` })));
      expect(await store().listSamples({ limit: 5_000 })).toHaveLength(1_000);
    });
  });
}
