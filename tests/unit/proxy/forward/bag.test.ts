import { describe, expect, it } from 'vitest';
import { Bag, type Bagged } from '../../../../src/proxy/forward/bag.ts';

interface Marble extends Bagged {
  readonly name: string;
}

function filled(...names: string[]): { bag: Bag<Marble>; marbles: Marble[] } {
  const bag = new Bag<Marble>();
  const marbles = names.map((name) => ({ name, place: 0 }));
  for (const marble of marbles) bag.add(marble);
  return { bag, marbles };
}

function namesIn(bag: Bag<Marble>): string[] {
  const names: string[] = [];
  bag.forEach(({ name }) => names.push(name));
  return names.sort();
}

describe('Bag', () => {
  it.each([0, 1, 2])('keeps the others when number %i goes', (gone) => {
    const { bag, marbles } = filled('a', 'b', 'c');
    const marble = marbles[gone];
    if (marble) bag.delete(marble);
    expect(namesIn(bag)).toEqual(['a', 'b', 'c'].filter((name) => name !== marble?.name));
    expect(bag.size).toBe(2);
  });

  it('takes nothing else out for what is not, or no longer, in it', () => {
    const { bag, marbles } = filled('a', 'b');
    const [first] = marbles;
    bag.delete({ name: 'stranger', place: 0 });
    if (first) bag.delete(first);
    if (first) bag.delete(first);
    expect(namesIn(bag)).toEqual(['b']);
  });

  it('visits each once although each takes itself out', () => {
    const { bag } = filled('a', 'b', 'c');
    const visited: string[] = [];
    bag.forEach((marble) => {
      visited.push(marble.name);
      bag.delete(marble);
    });
    expect(visited.sort()).toEqual(['a', 'b', 'c']);
    expect(bag.size).toBe(0);
  });
});
