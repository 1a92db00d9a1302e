import { pino } from 'pino';
import type { ServiceRecord, StateStore } from '../../src/fleet/state-store.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded/embedded-store.ts';
import { MongoStore } from '../../src/stores/mongo/mongo-store.ts';
import { mongoLimits } from '../support/samples/mongo-limits.ts';
import type { StorePlace } from './write-and-kill.ts';

/** The process that write-and-kill.ts kills: stores the records that it is sent, says so, and stays with the store open. */
const place = JSON.parse(process.argv[2] ?? '') as StorePlace;
const store = storeAt(place);

process.once('message', (records: ServiceRecord[]) => {
  void write(records);
});

function storeAt(where: StorePlace): StateStore {
  const tools = { clock: new SystemClock(), log: pino({ level: 'silent' }) };
  if (where.kind === 'embedded') return new EmbeddedStore({ stateDir: where.stateDir, ...tools });
  return new MongoStore({ uri: where.uri, databaseName: where.databaseName, limits: mongoLimits, ...tools });
}

async function write(records: ServiceRecord[]): Promise<void> {
  await store.start();
  for (const record of records) await store.putService(record);
  process.send?.('stored');
}
setInterval(() => undefined, 60_000);
