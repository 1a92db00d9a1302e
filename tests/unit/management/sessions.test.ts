import { describe, expect, it } from 'vitest';
import { SESSION_LIFETIME_MS, Sessions } from '../../../src/management/sessions.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

describe('Sessions', () => {
  it('ends a session after twelve hours', () => {
    const clock = new FakeClock();
    const sessions = new Sessions(clock, () => 'token');
    const id = sessions.open();
    clock.advance(SESSION_LIFETIME_MS - 1);
    expect(sessions.has(id)).toBe(true);
    clock.advance(1);
    expect(sessions.has(id)).toBe(false);
  });

  it('gives every session an id of its own that cannot be guessed', () => {
    const sessions = new Sessions(new FakeClock(), () => 'token');
    const ids = new Set(Array.from({ length: 100 }, () => sessions.open()));
    expect(ids.size).toBe(100);
    for (const id of ids) expect(id).toMatch(/^[\w-]{43}$/);
    expect(sessions.has('')).toBe(false);
  });

  it('lets the oldest go when there are a thousand', () => {
    const sessions = new Sessions(new FakeClock(), () => 'token');
    const ids = Array.from({ length: 1_001 }, () => sessions.open());
    expect(sessions.has(ids[0]!)).toBe(false);
    expect(sessions.has(ids[1]!)).toBe(true);
    expect(sessions.has(ids[1_000]!)).toBe(true);
  });
});
