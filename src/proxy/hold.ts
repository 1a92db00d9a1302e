import { DispatchError } from '../dispatch/errors.ts';
import type { Lease } from '../dispatch/lease.ts';
import type { LeaseWish, ServicePool } from '../dispatch/service-pool.ts';
import type { Clock } from '../lib/clock.ts';
import { isNavigation } from './answers/navigation.ts';
import type { Visit } from './visit.ts';

/** Somebody may be put through twice when instances come and go; more often than this, something is wrong. */
const MAX_HOLDS = 3;

/**
 * Keeps a request until its service is awake, and notes on the visit how long that took.
 * @returns `left` when the client has gone meanwhile, `shown` when its user is to see the waiting page by now
 * @throws WakeFailed, DispatchError
 */
export async function hold(
  visit: Visit,
  pool: ServicePool,
  wish: LeaseWish,
  clock: Clock,
): Promise<Lease | 'left' | 'shown'> {
  const { exchange } = visit;
  const since = clock.now();
  const waiting = new AbortController();
  exchange.watch({ onAbandoned: () => waiting.abort() });
  // One that left while its first instance was looked into has had its close already.
  if (exchange.abandoned) waiting.abort();
  const page = pool.view.wake.page === 'auto' && isNavigation(exchange);
  const showing = page ? clock.after(pool.view.wake.pageAfterMs, () => waiting.abort()) : undefined;
  try {
    for (let holds = 0; holds < MAX_HOLDS; holds += 1) {
      visit.wake = await pool.wait(waiting.signal);
      visit.wakeMs = clock.now() - since;
      const lease = pool.acquire(wish);
      if (lease) return lease;
    }
    throw new DispatchError('no_upstream', pool.name, `${pool.name} woke, but none of its instances takes requests`);
  } catch (error) {
    if (!waiting.signal.aborted) throw error;
    visit.wakeMs = clock.now() - since;
    return exchange.abandoned ? 'left' : 'shown';
  } finally {
    showing?.cancel();
    exchange.watch(undefined);
  }
}
