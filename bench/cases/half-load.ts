import { setTimeout as pause } from 'node:timers/promises';
import { able, withEntrants, type Arena, type Entrant } from '../arena.ts';
import type { Load } from '../load/load-result.ts';
import { warmUp } from '../load/warm-up.ts';
import { pacedScript, wrk } from '../load/wrk.ts';
import { median } from '../median.ts';
import type { Case, Figures, Row } from './case.ts';
import { least, medians } from './rounds.ts';

const CONNECTIONS = 64;
/**
 * Each run begins with as many handshakes as there are connections, and whoever asks meanwhile waits for them. In a
 * shorter run they would be the slowest hundredth of a slower contestant (64 of 2 ms are more than that of 10 s), and
 * nothing would be learnt of its pauses.
 */
const STEADY_SECONDS = 20;

/** What the proxy adds to the slowest hundredth of requests when it is half as busy as it can be. */
export const halfLoad: Case = {
  name: 'half-load',
  title:
    'GET of 29 bytes, HTTP/1.1, paced at half of what each one can do; compared with the upstream alone at that pace',
  run: (arena) =>
    withEntrants(arena, able(arena), async (entrants) => {
      const rows: Row[] = [];
      for (const entrant of entrants) rows.push(await halfLoadOf(arena, entrant));
      return rows;
    }),
};

async function halfLoadOf(arena: Arena, entrant: Entrant): Promise<Row> {
  const { site, rounds, seconds, warmUpRequests } = arena;
  const url = entrant.url('/');
  const flatOut: Load = (_, span) => wrk({ url, connections: CONNECTIONS, seconds: span });
  await warmUp(entrant, flatOut, warmUpRequests);
  const { count, seconds: took } = await wrk({ url, connections: CONNECTIONS, seconds });
  const script = { dir: site.dir, text: pacedScript(count / took / 2, CONNECTIONS) };
  const direct = `http://127.0.0.1:${site.upstreamPort}/`;
  const through: Figures[] = [];
  const alone: number[] = [];
  for (let round = 1; round <= rounds; round += 1) {
    arena.progress(`round ${round} of ${rounds}: ${entrant.name}`);
    const span = Math.max(seconds, STEADY_SECONDS);
    const paced = await wrk({ url, connections: CONNECTIONS, seconds: span, script });
    const { p50Ms = NaN, p99Ms = NaN } = paced;
    through.push({ perSecond: paced.count / paced.seconds, p50Ms, p99Ms, failed: paced.failed });
    await pause(100);
    alone.push((await wrk({ url: direct, connections: CONNECTIONS, seconds, script })).p99Ms ?? NaN);
  }
  const figures = medians(through);
  const quietest = least(through);
  return {
    name: entrant.name,
    figures: { ...figures, addedP99Ms: (figures.p99Ms ?? NaN) - median(alone) },
    quietest: { ...quietest, addedP99Ms: (quietest.p99Ms ?? NaN) - Math.min(...alone) },
  };
}
