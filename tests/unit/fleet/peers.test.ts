import { beforeEach, describe, expect, it, vi } from 'vitest';
import { Peers } from '../../../src/fleet/peers.ts';
import type { BreakerReport, PeerNews } from '../../../src/seam/control-link.ts';

describe('Peers', () => {
  const onBreaker = vi.fn<(report: BreakerReport) => void>();
  const heard: Record<string, PeerNews[]> = {};
  let peers: Peers;
  beforeEach(() => {
    onBreaker.mockClear();
    peers = new Peers(onBreaker);
    for (const name of ['one', 'two', 'three']) listen(name);
  });

  function listen(name: string): void {
    const news: PeerNews[] = [];
    heard[name] = news;
    peers.listen(name, (each) => news.push(each));
  }

  it('passes a verdict on to the others, not to whom it comes from', () => {
    const report = { service: 'web', instanceId: 'web-1', verdict: 'failed' } as const;
    peers.verdict('one', report);
    expect(heard['one']).toEqual([]);
    expect(heard['two']).toEqual([{ kind: 'verdict', ...report }]);
    expect(heard['three']).toEqual(heard['two']);
  });

  it('tells each how many wait in the others together', () => {
    peers.waiting('one', { service: 'web', waiting: 3 });
    peers.waiting('two', { service: 'web', waiting: 4 });
    expect(heard['one']?.at(-1)).toEqual({ kind: 'waiting', service: 'web', waiting: 4 });
    expect(heard['two']?.at(-1)).toEqual({ kind: 'waiting', service: 'web', waiting: 3 });
    expect(heard['three']?.at(-1)).toEqual({ kind: 'waiting', service: 'web', waiting: 7 });
    peers.leave('two');
    expect(heard['one']?.at(-1)).toEqual({ kind: 'waiting', service: 'web', waiting: 0 });
  });

  it('tells a newcomer who waits already', () => {
    peers.waiting('one', { service: 'web', waiting: 3 });
    listen('four');
    expect(heard['four']).toEqual([{ kind: 'waiting', service: 'web', waiting: 3 }]);
  });

  it('tells of a breaker once, however many have it open, and of its end when the last one closed it or left', () => {
    const report = (open: boolean): BreakerReport => ({ service: 'web', instanceId: 'web-1', open });
    peers.breaker('one', report(true));
    peers.breaker('two', report(true));
    peers.breaker('one', report(false));
    expect(onBreaker.mock.calls).toEqual([[report(true)]]);
    peers.leave('two');
    expect(onBreaker.mock.calls).toEqual([[report(true)], [report(false)]]);
  });
});
