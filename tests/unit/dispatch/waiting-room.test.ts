import { beforeEach, describe, expect, it } from 'vitest';
import { DispatchError } from '../../../src/dispatch/errors.ts';
import { WaitingRoom } from '../../../src/dispatch/waiting-room.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const LIMITS = { maxWaiting: 3, timeoutMs: 60_000 };

describe('WaitingRoom', () => {
  let clock: FakeClock;
  let room: WaitingRoom<string>;
  const never = new AbortController().signal;
  beforeEach(() => {
    clock = new FakeClock();
    room = new WaitingRoom(clock, 'web', () => undefined);
  });

  it('admits all at once, in the order they came, and is empty then', async () => {
    const order: number[] = [];
    const entered = [1, 2, 3].map((n) => room.enter(LIMITS, never).then((value) => (order.push(n), value)));
    expect(room.waiting).toBe(3);
    room.admit('awake');
    expect(room.waiting).toBe(0);
    expect(await Promise.all(entered)).toEqual(['awake', 'awake', 'awake']);
    expect(order).toEqual([1, 2, 3]);
    expect(clock.pendingCount).toBe(0);
  });

  it('refuses who comes when it is full, and nobody else', async () => {
    const inside = [1, 2, 3].map(() => room.enter(LIMITS, never));
    const refused = room.enter(LIMITS, never);
    await expect(refused).rejects.toMatchObject({ code: 'waiting_room_full', service: 'web', retryAfterMs: 1_000 });
    await expect(refused).rejects.toThrow('3 requests already wait for web');
    room.admit('awake');
    expect(await Promise.all(inside)).toHaveLength(3);
  });

  it('lets each wait for its own time only', async () => {
    const first = room.enter(LIMITS, never);
    clock.advance(30_000);
    const second = room.enter(LIMITS, never);
    clock.advance(30_000);
    expect(room.waiting).toBe(2);
    // The wake itself gets a moment to fail with its reason.
    clock.advance(1_000);
    await expect(first).rejects.toMatchObject({
      code: 'wake_timeout',
      message: expect.stringContaining('60 s') as string,
    });
    expect(room.waiting).toBe(1);
    room.admit('awake');
    expect(await second).toBe('awake');
  });

  it('frees the place of one that leaves, and says why it left', async () => {
    const client = new AbortController();
    const leaving = room.enter({ ...LIMITS, maxWaiting: 1 }, client.signal);
    const gone = new Error('the client left');
    client.abort(gone);
    expect(room.waiting).toBe(0);
    await expect(leaving).rejects.toBe(gone);
    const next = room.enter({ ...LIMITS, maxWaiting: 1 }, never);
    room.admit('awake');
    expect(await next).toBe('awake');
    expect(clock.pendingCount).toBe(0);
  });

  it('does not let in who has left already', async () => {
    await expect(room.enter(LIMITS, AbortSignal.abort())).rejects.toThrow();
    expect(room.waiting).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it('turns all away for one reason', async () => {
    const entered = [room.enter(LIMITS, never), room.enter(LIMITS, never)];
    const reason = new DispatchError('draining', 'web', 'the proxy ends');
    room.turnAway(reason);
    for (const each of entered) await expect(each).rejects.toBe(reason);
    expect(room.waiting).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it('does not let in who comes after the others were admitted', () => {
    room.admit('awake');
    void room.enter(LIMITS, never).catch(() => undefined);
    expect(room.waiting).toBe(1);
  });
});
