import { withEntrants } from '../arena.ts';
import { reveille } from '../contestants/reveille.ts';
import { wrk } from '../load/wrk.ts';
import type { Case } from './case.ts';

const REQUESTS = 1_000_000;
/** The heap has found its size by then. */
const FROM = 250_000;
const SPAN_SECONDS = 10;

export const million: Case = {
  name: 'million',
  title: 'memory from the first quarter to the end of a million small GETs',
  long: true,
  run: (arena) =>
    withEntrants(arena, [reveille()], async ([entrant]) => {
      if (entrant === undefined) return [];
      let served = 0;
      let failed = 0;
      let before: number | undefined;
      while (served < REQUESTS) {
        const result = await wrk({ url: entrant.url('/'), connections: 64, seconds: SPAN_SECONDS });
        served += result.count;
        failed += result.failed;
        if (served >= FROM) before ??= entrant.usage().rssBytes;
        arena.progress(`${served} requests, ${(entrant.usage().rssBytes / 1e6).toFixed(0)} MB`);
        if (result.count === 0) throw new Error('no request was answered');
      }
      const after = entrant.usage().rssBytes;
      const grownMegabytes = (after - (before ?? after)) / 1e6;
      return [{ name: entrant.name, figures: { rssMegabytes: after / 1e6, grownMegabytes, failed } }];
    }),
};
