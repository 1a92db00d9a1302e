import { describe, expect, it, vi } from 'vitest';
import { SessionBoard } from '../../../src/dispatch/session-board.ts';
import type { ControlLink, SessionReport } from '../../../src/seam/control-link.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

function session(id: string, changes: Partial<SessionReport> = {}): SessionReport {
  return { id, service: 'web', instanceId: 'web-1', clientHint: '203.0.113.0/24 curl', seenAtEpochMs: 1, ...changes };
}

describe('SessionBoard', () => {
  const clock = new FakeClock();
  const reportSessions = vi.fn<ControlLink['reportSessions']>();
  const board = new SessionBoard(clock, { reportSessions });

  it('tells of many requests of one client once, as it was seen last', () => {
    board.see(session('a'));
    board.see(session('b'));
    board.see(session('a', { instanceId: 'web-2', seenAtEpochMs: 9 }));
    expect(reportSessions).not.toHaveBeenCalled();
    clock.advance(5_000);
    expect(reportSessions.mock.calls).toEqual([
      [[session('a', { instanceId: 'web-2', seenAtEpochMs: 9 }), session('b')]],
    ]);
  });

  it('says nothing when nobody came', () => {
    reportSessions.mockClear();
    clock.advance(60_000);
    board.flush();
    expect(reportSessions).not.toHaveBeenCalled();
    expect(clock.pendingCount).toBe(0);
  });

  it('keeps no more than ten thousand at a time, but goes on with those that it knows', () => {
    for (let n = 0; n < 10_001; n += 1) board.see(session(`s${n}`));
    board.see(session('s0', { seenAtEpochMs: 5 }));
    board.flush();
    const [reports = []] = reportSessions.mock.calls.at(-1) ?? [];
    expect(reports).toHaveLength(10_000);
    expect(reports[0]).toMatchObject({ id: 's0', seenAtEpochMs: 5 });
  });
});
