import type { Entrant } from '../arena.ts';
import type { Load } from './load-result.ts';

const SPAN_SECONDS = 1;
/** Whoever is too slow for all of the requests has had its time. */
const AT_MOST_SECONDS = 12;

/**
 * Loads a contestant until it has served that many requests. Counted in requests and not in seconds, because code
 * becomes fast by being run often: on a busy machine the first seconds of a Node process hold too few.
 */
export async function warmUp(entrant: Entrant, load: Load, requests: number): Promise<void> {
  let served = 0;
  for (let span = 0; span < AT_MOST_SECONDS && served < requests; span += SPAN_SECONDS) {
    served += (await load(entrant, SPAN_SECONDS)).count;
  }
}
