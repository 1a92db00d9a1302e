import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { StoreKeeper, type StoreKeeperTools } from '../../../src/composition/store-keeper.ts';
import type { StoreCondition } from '../../../src/fleet/state-store.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('the service that holds the own database', () => {
  let clock: FakeClock;
  let condition: StoreCondition;
  let wakes: string[];
  let failure: Error | undefined;
  let service: string | undefined;
  let lines: string[];
  let keeper: StoreKeeper;

  beforeEach(async () => {
    clock = new FakeClock();
    condition = { up: false, reason: 'not yet' };
    wakes = [];
    lines = [];
    failure = undefined;
    service = 'mongodb';
    const managed = (name: string): unknown => ({
      wake: (reason: string) => {
        wakes.push(`${name} ${reason}`);
        return failure ? Promise.reject(failure) : Promise.resolve({ totalMs: 1 });
      },
    });
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const store = {
      get condition() {
        return condition;
      },
    };
    const fleet = { managed } as unknown as StoreKeeperTools['fleet'];
    keeper = new StoreKeeper({ fleet, store, service: () => service, clock, log });
    keeper.start();
    await clock.advanceAsync(0);
  });

  it('is woken at the start, and left alone while the database is there', async () => {
    condition = { up: true };
    await clock.advanceAsync(60_000);
    expect(wakes).toEqual(['mongodb boot']);
  });

  it('is woken again when the database has gone, as often as that takes, and the log hears it once', async () => {
    condition = { up: true };
    await clock.advanceAsync(10_000);
    condition = { up: false, reason: 'removed' };
    failure = new Error('no such image');
    await clock.advanceAsync(30_000);
    expect(wakes.length).toBeGreaterThan(5);
    expect(lines.filter((line) => line.includes('no such image'))).toHaveLength(1);
  });

  it('is nobody to wake where somebody else runs the database, which an edit may change', async () => {
    service = undefined;
    await clock.advanceAsync(30_000);
    expect(wakes).toHaveLength(1);
    service = 'other';
    await clock.advanceAsync(3_000);
    expect(wakes.at(-1)).toBe('other boot');
  });

  it('is not woken any more once the daemon ends', async () => {
    keeper.close();
    await clock.advanceAsync(30_000);
    expect(wakes).toHaveLength(1);
    expect(clock.pendingCount).toBe(0);
  });
});
