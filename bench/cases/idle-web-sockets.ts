import { setTimeout as pause } from 'node:timers/promises';
import { able, withEntrants } from '../arena.ts';
import { closeWebSockets, openWebSockets } from '../load/web-sockets.ts';
import type { Case, Row } from './case.ts';

const SOCKETS = 1_000;
/** So that code that runs for the first time is not counted as memory of the sockets. */
const WARM_UP_SOCKETS = 50;
const SETTLE_MS = 2_000;

export const idleWebSockets: Case = {
  name: 'idle-websockets',
  title: `memory of the proxy for each of ${SOCKETS} WebSockets that have had one message echoed and are idle`,
  run: (arena) =>
    withEntrants(arena, able(arena, 'websocket'), async (entrants) => {
      const rows: Row[] = [];
      for (const entrant of entrants) {
        arena.progress(entrant.name);
        await closeWebSockets(await openWebSockets(entrant.port, WARM_UP_SOCKETS));
        await pause(SETTLE_MS);
        const before = entrant.usage().rssBytes;
        const sockets = await openWebSockets(entrant.port, SOCKETS);
        await pause(SETTLE_MS);
        const after = entrant.usage().rssBytes;
        await closeWebSockets(sockets);
        const kilobytesEach = (after - before) / SOCKETS / 1_000;
        rows.push({ name: entrant.name, figures: { kilobytesEach, rssMegabytes: after / 1e6 } });
      }
      return rows;
    }),
};
