import { describe, expect, it } from 'vitest';
import { pick, type Candidate } from '../../../src/dispatch/load-balancer.ts';

interface Named extends Candidate {
  readonly id: string;
}

function candidates(...inFlight: number[]): Named[] {
  return inFlight.map((count, index) => ({ id: 'abcdef'.charAt(index), inFlight: count }));
}

function picks(policy: Parameters<typeof pick>[0], among: Named[], turns: number): string {
  return Array.from({ length: turns }, (_, turn) => pick(policy, among, turn, () => 0)?.id).join('');
}

const POLICIES = ['least-in-flight', 'round-robin', 'random-two'] as const;

describe('pick', () => {
  it.each(POLICIES)('finds nobody among none by %s', (policy) => {
    expect(pick<Candidate>(policy, [], 7, () => 0.5)).toBeUndefined();
  });

  it.each(POLICIES)('takes the only one by %s', (policy) => {
    expect(pick(policy, candidates(9), 7, () => 0.999)?.id).toBe('a');
  });

  it('takes the one with the fewest requests in flight, whatever the turn', () => {
    expect(picks('least-in-flight', candidates(2, 1, 3), 4)).toBe('bbbb');
  });

  it('rotates among those that are equally busy', () => {
    expect(picks('least-in-flight', candidates(0, 0, 0), 6)).toBe('abcabc');
    expect(picks('least-in-flight', candidates(1, 5, 1), 6)).toBe('accacc');
  });

  it('goes round by turns and does not look at how busy they are', () => {
    expect(picks('round-robin', candidates(9, 0, 4), 7)).toBe('abcabca');
  });

  it('takes the less busy of two that are chosen at random', () => {
    const among = candidates(3, 2, 1);
    const drawing = (...numbers: number[]): string | undefined =>
      pick('random-two', among, 0, () => numbers.shift()!)?.id;
    expect(drawing(0, 0)).toBe('b');
    expect(drawing(0, 0.5)).toBe('c');
    expect(drawing(0.34, 0.5)).toBe('b');
  });

  it('never compares one with itself, and reaches each of them', () => {
    const steps = [0, 0.2, 0.4, 0.6, 0.8, 0.999];
    for (const busiest of [0, 1, 2]) {
      const among = candidates(...[0, 1, 2].map((index) => (index === busiest ? 1 : 0)));
      const chosen = steps.flatMap((a) =>
        steps.map((b) => {
          const numbers = [a, b];
          return pick('random-two', among, 0, () => numbers.shift()!);
        }),
      );
      // Had it drawn the busiest twice, it would have chosen it.
      expect(chosen).not.toContain(among[busiest]);
      expect(new Set(chosen).size).toBe(2);
    }
  });
});
