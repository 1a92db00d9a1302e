import { Random } from './random.ts';

/** Any bytes, from which content is cut. */
const POOL = makePool();

/** Content in parts: mostly small, sometimes more than any buffer takes at once; chunks are never empty. */
export function planParts(random: Random, framing: string): string[] {
  const size = random.chance(0.08) ? 120_000 : random.chance(0.3) ? 9_000 : 200;
  const least = framing === 'chunked' ? 1 : 0;
  return random.list(0, 5, () => planPart(random, least, size));
}

export function planPart(random: Random, least: number, most: number): string {
  const length = random.integer(least, most);
  const from = random.integer(0, 1_000);
  return POOL.slice(from, from + length);
}

function makePool(): string {
  const random = new Random(7);
  const block = Array.from({ length: 4_096 }, () => String.fromCharCode(random.integer(0, 255))).join('');
  return block.repeat(30);
}
