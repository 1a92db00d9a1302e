import { beforeEach, describe, expect, it, vi } from 'vitest';
import { CircuitBreaker } from '../../../src/dispatch/circuit-breaker.ts';
import { Lease } from '../../../src/dispatch/lease.ts';
import { Upstream } from '../../../src/dispatch/upstream.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const endpoint = { host: '127.0.0.1', port: 3000 };

describe('Lease', () => {
  let clock: FakeClock;
  let upstream: Upstream;
  const onRelease = vi.fn();
  beforeEach(() => {
    clock = new FakeClock();
    onRelease.mockClear();
    const breaker = new CircuitBreaker(
      clock,
      { failures: 2, openForMs: 1_000 },
      { onChange: () => undefined, onVerdict: () => undefined },
    );
    upstream = new Upstream('web', { id: 'web-1', endpoints: { 3000: endpoint } }, breaker);
  });

  function lease(): Lease {
    upstream.breaker.begin();
    upstream.inFlight += 1;
    return new Lease(upstream, endpoint, onRelease);
  }

  it.each(['served', 'failed', 'abandoned'] as const)('ends what it counts exactly once when it is %s', (outcome) => {
    const other = lease();
    const one = lease();
    one.release(outcome);
    one.release(outcome);
    expect(upstream.inFlight).toBe(1);
    expect(onRelease).toHaveBeenCalledTimes(1);
    other.release('served');
    expect(upstream.inFlight).toBe(0);
    expect(onRelease).toHaveBeenLastCalledWith(upstream);
  });

  it('tells the breaker only the first outcome', () => {
    const one = lease();
    one.release('served');
    one.release('failed');
    one.release('failed');
    expect(upstream.breaker.state).toBe('closed');
  });

  it('counts as one failure', () => {
    lease().release('failed');
    expect(upstream.breaker.state).toBe('closed');
    lease().release('failed');
    expect(upstream.breaker.state).toBe('open');
  });

  it('has counted down before it tells, so that what is told is true', () => {
    const seen: number[] = [];
    onRelease.mockImplementationOnce(({ inFlight }: Upstream) => seen.push(inFlight));
    lease().release('served');
    expect(seen).toEqual([0]);
  });

  it('says nothing about the instance when an answer begins after its release', () => {
    lease().release('failed');
    lease().release('failed');
    clock.advance(1_000);
    expect(upstream.breaker.available).toBe(true);
    const probe = lease();
    probe.release('failed');
    clock.advance(1_000);
    expect(upstream.breaker.available).toBe(true);
    probe.answered();
    expect(upstream.breaker.state).toBe('half-open');
  });
});
