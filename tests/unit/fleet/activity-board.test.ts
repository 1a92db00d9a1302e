import { beforeEach, describe, expect, it, vi } from 'vitest';
import { ActivityBoard } from '../../../src/fleet/activity-board.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('ActivityBoard', () => {
  let clock: FakeClock;
  let board: ActivityBoard;
  beforeEach(() => {
    clock = new FakeClock();
    board = new ActivityBoard(clock);
  });

  function report(instanceId: string, inFlight: number, seenVersion = 1): void {
    board.record('one', [{ service: 'web', instanceId, inFlight, seenVersion }]);
  }

  it('sums what is in flight over the instances of one service', () => {
    report('web-1', 2);
    report('web-2', 3);
    board.record('one', [{ service: 'api', instanceId: 'api-1', inFlight: 9, seenVersion: 1 }]);
    expect(board.inFlight('web')).toBe(5);
    report('web-1', 0);
    expect(board.inFlight('web')).toBe(3);
    expect(board.inFlight('unknown')).toBe(0);
  });

  it('knows nothing of the idleness of a service that it never saw', () => {
    expect(board.idleSince('web')).toBeUndefined();
  });

  it('counts the idle time of a new instance from when it began to serve', () => {
    clock.advance(100);
    board.begin('web', 'web-1');
    clock.advance(900);
    expect(board.idleSince('web')).toBe(100);
  });

  it('counts the idle time from when it was last seen busy', () => {
    board.begin('web', 'web-1');
    clock.advance(100);
    report('web-1', 1);
    expect(board.idleSince('web')).toBeUndefined();
    clock.advance(200);
    report('web-1', 0);
    clock.advance(300);
    report('web-1', 0);
    expect(board.idleSince('web')).toBe(300);
  });

  it('takes the busiest instance for the service', () => {
    board.begin('web', 'web-1');
    clock.advance(100);
    board.begin('web', 'web-2');
    expect(board.idleSince('web')).toBe(100);
    report('web-1', 1);
    expect(board.idleSince('web')).toBeUndefined();
    board.forget('web', 'web-1');
    expect(board.idleSince('web')).toBe(100);
  });

  it('does not take old silence for idleness when an instance begins again', () => {
    board.begin('web', 'web-1');
    clock.advance(5_000);
    board.begin('web', 'web-1');
    expect(board.idleSince('web')).toBe(5_000);
  });

  it('takes an instance for drained only when nothing is in flight and the report is new enough', () => {
    report('web-1', 0, 4);
    expect(board.isDrained('web', 'web-1', 5)).toBe(false);
    report('web-1', 1, 5);
    expect(board.isDrained('web', 'web-1', 5)).toBe(false);
    report('web-1', 0, 5);
    expect(board.isDrained('web', 'web-1', 5)).toBe(true);
    report('web-1', 0, 9);
    expect(board.isDrained('web', 'web-1', 5)).toBe(true);
  });

  it('takes an instance that nobody has ever used, or that is forgotten, for drained', () => {
    expect(board.isDrained('web', 'web-1', 5)).toBe(true);
    report('web-1', 3, 5);
    board.forget('web', 'web-1');
    expect(board.isDrained('web', 'web-1', 5)).toBe(true);
    expect(board.inFlight('web')).toBe(0);
  });

  describe('with several data halves', () => {
    const say = (dataHalf: string, inFlight: number, seenVersion = 1): void =>
      board.record(dataHalf, [{ service: 'web', instanceId: 'web-1', inFlight, seenVersion }]);

    it('sums what they have in flight, and is idle only when all are', () => {
      say('one', 2);
      say('two', 3);
      expect(board.inFlight('web')).toBe(5);
      say('one', 0);
      expect(board.idleSince('web')).toBeUndefined();
      clock.advance(500);
      say('two', 0);
      clock.advance(500);
      expect(board.idleSince('web')).toBe(500);
    });

    it('takes an instance for drained only when each of them has seen the version', () => {
      board.join('one');
      board.join('two');
      expect(board.isDrained('web', 'web-1', 4)).toBe(false);
      board.seen('one', 4);
      say('two', 1, 4);
      expect(board.isDrained('web', 'web-1', 4)).toBe(false);
      say('two', 0, 4);
      expect(board.isDrained('web', 'web-1', 4)).toBe(true);
      board.join('three');
      expect(board.isDrained('web', 'web-1', 4)).toBe(false);
    });

    it('forgets what one had in flight when it ends, counts the idle time from there and tells who waits', () => {
      say('one', 0, 4);
      say('two', 7, 4);
      clock.advance(900);
      const listener = vi.fn(() => board.isDrained('web', 'web-1', 4));
      board.onReport(listener);
      board.leave('two');
      expect(board.inFlight('web')).toBe(0);
      expect(board.idleSince('web')).toBe(900);
      expect(listener).toHaveLastReturnedWith(true);
    });
  });

  it('calls back after each report, with what it says counted already, until the listener leaves', () => {
    const seen: number[] = [];
    const listener = vi.fn(() => void seen.push(board.inFlight('web')));
    const leave = board.onReport(listener);
    report('web-1', 2);
    report('web-1', 1);
    leave();
    report('web-1', 0);
    expect(seen).toEqual([2, 1]);
  });
});
