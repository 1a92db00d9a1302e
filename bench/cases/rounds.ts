import type { Arena, Entrant } from '../arena.ts';
import { withEntrants } from '../arena.ts';
import type { Contestant } from '../contestants/contestant.ts';
import type { Load, LoadResult } from '../load/load-result.ts';
import { warmUp } from '../load/warm-up.ts';
import { median } from '../median.ts';
import type { Figures, Row } from './case.ts';

/**
 * Each turn begins with as much load that does not count: a contestant has waited some 18 s for it, and what a runtime
 * has dropped meanwhile is not what a request costs.
 */
const SETTLING_SECONDS = 1;

/**
 * Every contestant has its turn in every round, so that what else goes on on the machine falls on all alike.
 * @param warmUpShare of the requests that warm a contestant up; those for much more than a small answer need fewer
 */
export function interleaved(
  arena: Arena,
  contestants: readonly Contestant[],
  load: Load,
  warmUpShare = 1,
): Promise<Row[]> {
  return withEntrants(arena, contestants, async (entrants) => {
    for (const entrant of entrants) await warmUp(entrant, load, arena.warmUpRequests * warmUpShare);
    const measured = entrants.map((entrant) => ({ entrant, rounds: [] as Figures[] }));
    for (let round = 1; round <= arena.rounds; round += 1) {
      for (const { entrant, rounds } of measured) {
        arena.progress(`round ${round} of ${arena.rounds}: ${entrant.name}`);
        await load(entrant, SETTLING_SECONDS);
        rounds.push(await measure(entrant, () => load(entrant, arena.seconds)));
      }
    }
    return withRatios(
      measured.map(({ entrant, rounds }) => ({
        name: entrant.name,
        figures: medians(rounds),
        quietest: least(rounds),
      })),
    );
  });
}

/** One span of load, and what it took. */
async function measure(entrant: Entrant, load: () => Promise<LoadResult>): Promise<Figures> {
  const before = entrant.usage();
  const { count, failed, seconds, megabytes, p50Ms, p99Ms } = await load();
  const cpuMicros = entrant.usage().cpuMicros - before.cpuMicros;
  return {
    cpuMicros: cpuMicros / count,
    ...(megabytes !== undefined && { cpuMicrosPerMegabyte: cpuMicros / megabytes }),
    perSecond: count / seconds,
    ...(p50Ms !== undefined && { p50Ms }),
    ...(p99Ms !== undefined && { p99Ms }),
    rssMegabytes: entrant.usage().rssBytes / 1e6,
    failed,
  };
}

export function medians(rounds: readonly Figures[]): Figures {
  return each(rounds, median);
}

export function least(rounds: readonly Figures[]): Figures {
  return each(rounds, (values) => Math.min(...values));
}

function each(rounds: readonly Figures[], of: (values: readonly number[]) => number): Figures {
  const names = Object.keys(rounds[0] ?? {}) as (keyof Figures)[];
  return Object.fromEntries(names.map((name) => [name, of(rounds.map((round) => round[name] ?? NaN))]));
}

/** How many times the first row's CPU each one takes, for as much as it has carried. */
function withRatios(rows: readonly Row[]): Row[] {
  const cpu = ({ figures }: Row): number => figures.cpuMicrosPerMegabyte ?? figures.cpuMicros ?? NaN;
  const [first] = rows;
  return rows.map((row) => ({ ...row, figures: { ...row.figures, ratio: cpu(row) / cpu(first ?? row) } }));
}
