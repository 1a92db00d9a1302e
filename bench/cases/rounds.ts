import type { Arena, Entrant } from '../arena.ts';
import { withEntrants } from '../arena.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { LoadResult } from '../load/load-result.ts';
import { median } from '../median.ts';
import type { Figures, Row } from './case.ts';

export type Load = (entrant: Entrant, seconds: number) => Promise<LoadResult>;

/** Every contestant has its turn in every round, so that what else goes on on the machine falls on all alike. */
export function interleaved(arena: Arena, contestants: readonly Contestant[], load: Load): Promise<Row[]> {
  return withEntrants(arena, contestants, async (entrants) => {
    for (const entrant of entrants) await load(entrant, arena.warmUpSeconds);
    const measured = entrants.map((entrant) => ({ entrant, rounds: [] as Figures[] }));
    for (let round = 1; round <= arena.rounds; round += 1) {
      for (const { entrant, rounds } of measured) {
        arena.progress(`round ${round} of ${arena.rounds}: ${entrant.name}`);
        rounds.push(await measure(entrant, () => load(entrant, arena.seconds)));
      }
    }
    return withRatios(measured.map(({ entrant, rounds }) => ({ name: entrant.name, figures: medians(rounds) })));
  });
}

/** One span of load, and what it took. */
async function measure(entrant: Entrant, load: () => Promise<LoadResult>): Promise<Figures> {
  const before = entrant.usage();
  const { count, failed, seconds, p50Ms, p99Ms } = await load();
  const after = entrant.usage();
  return {
    cpuMicros: (after.cpuMicros - before.cpuMicros) / count,
    perSecond: count / seconds,
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
    rssMegabytes: after.rssBytes / 1e6,
    failed,
  };
}

export function medians(rounds: readonly Figures[]): Figures {
  const names = Object.keys(rounds[0] ?? {}) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, median(rounds.map((round) => round[name] ?? NaN))]));
}

/** How many times the first row's CPU each one takes. */
function withRatios(rows: readonly Row[]): Row[] {
  const first = rows[0]?.figures.cpuMicros ?? NaN;
  return rows.map(({ name, figures: { cpuMicros = NaN, ...rest } }) => {
    return { name, figures: { cpuMicros, ratio: cpuMicros / first, ...rest } };
  });
}
