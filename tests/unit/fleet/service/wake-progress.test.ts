import { beforeEach, describe, expect, it, vi } from 'vitest';
import { WakeTracker } from '../../../../src/fleet/service/wake-progress.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';

describe('WakeTracker', () => {
  const onChange = vi.fn();
  let clock: FakeClock;
  let tracker: WakeTracker;
  beforeEach(() => {
    onChange.mockClear();
    clock = new FakeClock();
    tracker = new WakeTracker(clock, onChange);
  });

  it('begins queued, at nothing, at the time when it is made', () => {
    const startedAtEpochMs = clock.epochMs();
    clock.advance(500);
    expect(tracker.view()).toEqual({ phase: 'queued', detail: '', ratio: 0, startedAtEpochMs, lines: [] });
  });

  it('tells phase and detail, and calls back with each change', () => {
    tracker.enter('build', 'Step 2/7 : COPY . .', 0.5);
    tracker.line('copied');
    expect(tracker.view()).toMatchObject({ phase: 'build', detail: 'Step 2/7 : COPY . .', lines: ['copied'] });
    expect(onChange).toHaveBeenCalledTimes(2);
  });

  it('grows from phase to phase and within each, and never to the end', () => {
    const ratios = (['queued', 'dependencies', 'build', 'start', 'ready'] as const).flatMap((phase) =>
      [0, 0.5, 1].map((ratio) => {
        tracker.enter(phase, phase, ratio);
        return tracker.view().ratio;
      }),
    );
    expect(ratios).toEqual([...ratios].sort((a, b) => a - b));
    expect(ratios.at(-1)).toBeGreaterThan(0.9);
    expect(ratios.at(-1)).toBeLessThan(1);
  });

  it('never goes back, not with an earlier phase and not with a smaller share', () => {
    tracker.enter('build', 'almost', 0.9);
    const before = tracker.view().ratio;
    tracker.enter('build', 'another image', 0.1);
    expect(tracker.view().ratio).toBe(before);
    tracker.enter('dependencies', 'late', 1);
    expect(tracker.view()).toMatchObject({ ratio: before, phase: 'dependencies', detail: 'late' });
  });

  it.each([7, -3, Number.POSITIVE_INFINITY, Number.NaN])('stays between 0 and 1 for a share of %d', (share) => {
    tracker.enter('pull', 'odd', share);
    tracker.enter('start', 'starting');
    expect(tracker.view().ratio).toBeGreaterThanOrEqual(0.7);
    expect(tracker.view().ratio).toBeLessThanOrEqual(0.8);
  });

  it('keeps the last twenty lines, each cut to a bearable length', () => {
    for (let n = 1; n <= 50; n += 1) tracker.line(`line ${n}`);
    tracker.line('x'.repeat(100_000));
    tracker.enter('build', 'y'.repeat(100_000));
    const { lines, detail } = tracker.view();
    expect(lines).toHaveLength(20);
    expect(lines[0]).toBe('line 32');
    expect(lines.at(-1)).toHaveLength(500);
    expect(detail).toHaveLength(500);
  });

  it('hands out a copy that does not change any more', () => {
    tracker.line('one');
    const { lines } = tracker.view();
    tracker.line('two');
    expect(lines).toEqual(['one']);
  });
});
