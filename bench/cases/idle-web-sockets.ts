import { setTimeout as pause } from 'node:timers/promises';
import { able, withEntrants } from '../arena.ts';
import { closeWebSockets, openWebSockets } from '../load/web-sockets.ts';
import type { Case, Row } from './case.ts';

const SOCKETS = 1_000;
/** What was opened before, and stays: by then code has run for the first time, and what the start left behind is collected. */
const SOCKETS_BEFORE = 1_000;
const SETTLE_MS = 2_000;

export const idleWebSockets: Case = {
  name: 'idle-websockets',
  title: `memory of the proxy for each of ${SOCKETS} WebSockets, beside as many others, that have had one message echoed and are idle`,
  run: (arena) =>
    withEntrants(arena, able(arena, 'websocket'), async (entrants) => {
      const rows: Row[] = [];
      for (const entrant of entrants) {
        arena.progress(entrant.name);
        const others = await openWebSockets(entrant.port, SOCKETS_BEFORE);
        await pause(SETTLE_MS);
        const before = entrant.usage().rssBytes;
        const sockets = await openWebSockets(entrant.port, SOCKETS);
        await pause(SETTLE_MS);
        const after = entrant.usage().rssBytes;
        await closeWebSockets([...others, ...sockets]);
        const kilobytesEach = (after - before) / SOCKETS / 1_000;
        rows.push({ name: entrant.name, figures: { kilobytesEach, rssMegabytes: after / 1e6 } });
      }
      return rows;
    }),
};
