import { z } from 'zod';
import type { StateStore } from '../fleet/state-store.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { eventCodec, sampleCodec, serviceCodec, sessionCodec } from './record-codec.ts';

/** How many records of each kind there are; of services also how many were older than what was there. */
export interface DumpCounts {
  services: number;
  sessions: number;
  events: number;
  samples: number;
  older: number;
}

const line = z.object({ kind: z.enum(['service', 'session', 'event', 'sample']), record: z.unknown() });
const EVERYTHING = { limit: 1_000_000 };
const BATCH = 1_000;

/** The whole state, a line of JSON a record, whatever store it comes from. */
export async function exportState(store: StateStore): Promise<{ lines: string[]; counts: DumpCounts }> {
  const [services, sessions, events, samples] = await Promise.all([
    store.listServices(),
    store.listSessions(EVERYTHING),
    store.listEvents(EVERYTHING),
    store.listSamples(EVERYTHING),
  ]);
  const records = [
    ...services.map((each) => ({ kind: 'service', record: serviceCodec.encode(each) })),
    ...sessions.map((each) => ({ kind: 'session', record: sessionCodec.encode(each) })),
    ...events.map((each) => ({ kind: 'event', record: eventCodec.encode(each) })),
    ...samples.map((each) => ({ kind: 'sample', record: sampleCodec.encode(each) })),
  ];
  const [one, two, three, four] = [services.length, sessions.length, events.length, samples.length];
  const counts = { services: one, sessions: two, events: three, samples: four, older: 0 };
  return { lines: records.map((record) => JSON.stringify(record)), counts };
}

/**
 * Takes in what `exportState` wrote. May be done again: nothing is there twice, and nothing newer is undone. Samples are
 * taken in only where there are none yet of their time, for a time series knows no identity.
 * @throws CodedError `dump_unreadable` with the number of the line, before anything was stored
 */
export async function importState(store: StateStore, text: string): Promise<DumpCounts> {
  const { services, sessions, events, samples } = parse(text);
  let older = 0;
  for (const record of services) if (!(await store.putService(record))) older += 1;
  for (const batch of batches(sessions)) await store.saveSessions(batch);
  for (const batch of batches(events)) await store.saveEvents(batch);
  const known = new Set((await store.listSamples(EVERYTHING)).map((each) => JSON.stringify(each)));
  const fresh = samples.filter((each) => !known.has(JSON.stringify(each)));
  for (const batch of batches(fresh)) await store.saveSamples(batch);
  const counts = { sessions: sessions.length, events: events.length, samples: fresh.length };
  return { services: services.length - older, ...counts, older };
}

type Dump = ReturnType<typeof emptyDump>;

function emptyDump() {
  return {
    services: [] as ReturnType<typeof serviceCodec.decode>[],
    sessions: [] as ReturnType<typeof sessionCodec.decode>[],
    events: [] as ReturnType<typeof eventCodec.decode>[],
    samples: [] as ReturnType<typeof sampleCodec.decode>[],
  };
}

function parse(text: string): Dump {
  const dump = emptyDump();
  for (const [index, each] of text.split('\n').entries()) {
    if (each.trim() === '') continue;
    try {
      const { kind, record } = line.parse(JSON.parse(each));
      if (kind === 'service') dump.services.push(serviceCodec.decode(record));
      else if (kind === 'session') dump.sessions.push(sessionCodec.decode(record));
      else if (kind === 'event') dump.events.push(eventCodec.decode(record));
      else dump.samples.push(sampleCodec.decode(record));
    } catch (error) {
      const message = `Line ${index + 1} is not what \`reveille state export\` writes: ${messageOf(error)}`;
      throw new CodedError('dump_unreadable', message, { cause: error });
    }
  }
  return dump;
}

function* batches<T>(records: readonly T[]): Generator<readonly T[]> {
  for (let begin = 0; begin < records.length; begin += BATCH) yield records.slice(begin, begin + BATCH);
}
