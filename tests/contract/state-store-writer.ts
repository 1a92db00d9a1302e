import { pino } from 'pino';
import type { ServiceRecord } from '../../src/fleet/state-store.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedStore } from '../../src/stores/embedded-store.ts';

/** The process that state-store.test.ts kills: stores the records that it is sent, says so, and stays with the store open. */
const [stateDir = ''] = process.argv.slice(2);
const store = new EmbeddedStore({ stateDir, clock: new SystemClock(), log: pino({ level: 'silent' }) });

process.once('message', (records: ServiceRecord[]) => {
  void write(records);
});

async function write(records: ServiceRecord[]): Promise<void> {
  await store.start();
  for (const record of records) await store.putService(record);
  process.send?.('stored');
}
setInterval(() => undefined, 60_000);
