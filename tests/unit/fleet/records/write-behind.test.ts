import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { WriteBehind } from '../../../../src/fleet/records/write-behind.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

interface Note {
  readonly id: string;
  readonly text: string;
}

describe('WriteBehind', () => {
  let clock: FakeClock;
  let saved: string[][];
  let failure: Error | undefined;
  let lines: string[];
  let notes: WriteBehind<Note>;
  beforeEach(() => {
    clock = new FakeClock();
    saved = [];
    failure = undefined;
    lines = [];
    notes = new WriteBehind<Note>({
      what: 'notes',
      save: async (records) => {
        await Promise.resolve();
        if (failure) throw failure;
        if (records.some(({ text }) => text === 'bad')) throw new CodedError('record_refused', 'never');
        saved.push(records.map(({ id, text }) => `${id} ${text}`));
      },
      keyOf: ({ id }) => id,
      merge: (_older, newer) => newer,
      capacity: 3,
      afterMs: 100,
      clock,
      log: pino({}, { write: (line) => void lines.push((JSON.parse(line) as { msg: string }).msg) }),
    });
  });

  function add(...ids: string[]): void {
    for (const id of ids) notes.add({ id, text: 'x' });
  }

  it('gathers what comes and writes it once', async () => {
    add('a', 'b');
    await clock.advanceAsync(50);
    expect(saved).toEqual([]);
    notes.add({ id: 'a', text: 'newer' });
    await clock.advanceAsync(50);
    expect(saved).toEqual([['a newer', 'b x']]);
    await clock.advanceAsync(10_000);
    expect(saved).toHaveLength(1);
    expect(clock.pendingCount).toBe(0);
  });

  it('writes what was not taken again, once', async () => {
    failure = new Error('away');
    add('a');
    await clock.advanceAsync(5_000);
    add('b');
    failure = undefined;
    await clock.advanceAsync(10_000);
    expect(saved).toEqual([['a x', 'b x']]);
  });

  it('writes at once when it is told that the store is back', async () => {
    failure = new Error('away');
    add('a');
    await clock.advanceAsync(60_000);
    failure = undefined;
    notes.writeNow();
    await clock.advanceAsync(0);
    expect(saved).toEqual([['a x']]);
  });

  it('gives up the oldest when too many wait, counts them, and says so once', async () => {
    failure = new Error('away');
    add('a', 'b', 'c', 'd', 'e');
    expect(notes.dropped).toBe(2);
    expect(notes.pending).toBe(3);
    expect(lines.filter((line) => line.includes('given up'))).toHaveLength(1);
    failure = undefined;
    await clock.advanceAsync(1_000);
    expect(saved).toEqual([['c x', 'd x', 'e x']]);
  });

  it('gives up what the store can never take, and writes the others', async () => {
    add('a');
    notes.add({ id: 'b', text: 'bad' });
    add('c');
    await clock.advanceAsync(100);
    expect(saved).toEqual([['a x'], ['c x']]);
    expect(notes.dropped).toBe(1);
    expect(notes.pending).toBe(0);
  });

  it('keeps what changed while it was being written', async () => {
    add('a');
    clock.advance(100);
    notes.add({ id: 'a', text: 'changed' });
    await clock.advanceAsync(100);
    expect(saved).toEqual([['a x'], ['a changed']]);
  });

  it('writes what is left when it closes, and sets no alarm any more', async () => {
    add('a');
    await notes.close();
    expect(saved).toEqual([['a x']]);
    failure = new Error('away');
    add('b');
    await notes.close();
    expect(clock.pendingCount).toBe(0);
  });
});
