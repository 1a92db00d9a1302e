import type { BalancePolicy } from '../seam/fleet-view.ts';

export interface Candidate {
  readonly inFlight: number;
}

/**
 * Chooses among the candidates that may be picked now. `turn` is a number that the caller increases by one with every pick,
 * so that ties rotate instead of filling the first; `random` returns a number in [0, 1).
 * @returns undefined only when there is no candidate.
 */
export function pick<T extends Candidate>(
  policy: BalancePolicy,
  candidates: readonly T[],
  turn: number,
  random: () => number,
): T | undefined {
  if (candidates.length <= 1) return candidates[0];
  switch (policy) {
    case 'round-robin':
      return candidates[turn % candidates.length];
    case 'random-two':
      return lessBusyOfTwo(candidates, random);
    case 'least-in-flight':
      return leastInFlight(candidates, turn);
  }
}

function leastInFlight<T extends Candidate>(candidates: readonly T[], turn: number): T | undefined {
  let best: T | undefined;
  for (let offset = 0; offset < candidates.length; offset += 1) {
    const candidate = candidates[(turn + offset) % candidates.length];
    if (candidate && (best === undefined || candidate.inFlight < best.inFlight)) best = candidate;
  }
  return best;
}

/** Two different ones at random, the less busy of them: nearly as even as asking all, at a fixed cost. */
function lessBusyOfTwo<T extends Candidate>(candidates: readonly T[], random: () => number): T | undefined {
  const first = Math.floor(random() * candidates.length);
  const second = (first + 1 + Math.floor(random() * (candidates.length - 1))) % candidates.length;
  const [a, b] = [candidates[first], candidates[second]];
  return a && b && b.inFlight < a.inFlight ? b : a;
}
