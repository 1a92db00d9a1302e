import { beforeEach, describe, expect, it } from 'vitest';
import { WakeFeed, type WakeFeedOptions } from '../../../../src/proxy/answers/wake-feed.ts';
import { wellKnown } from '../../../../src/proxy/answers/well-known.ts';
import type { ServiceView } from '../../../../src/seam/fleet-view.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { RecordedExchange } from '../../../support/fakes/recorded-exchange.ts';
import { awakeView, serviceView, wakeProgress } from '../../../support/samples/service-view.ts';

let clock: FakeClock;

beforeEach(() => {
  clock = new FakeClock();
});

function feedOf(options: Partial<WakeFeedOptions> = {}): WakeFeed {
  return new WakeFeed({ clock, development: true, ...options });
}

function waking(progress: Parameters<typeof wakeProgress>[0] = {}, changes: Partial<ServiceView> = {}): ServiceView {
  return serviceView({ status: 'waking', progress: wakeProgress(progress), ...changes });
}

function attached(feed: WakeFeed, view: ServiceView = waking()): RecordedExchange {
  const exchange = new RecordedExchange();
  feed.attach(exchange, view);
  return exchange;
}

/** The events of a stream, each with its data. */
function eventsOf({ sent }: RecordedExchange): { event: string; data: Record<string, unknown> }[] {
  return [...sent.body.matchAll(/event: (\w+)\ndata: (.*)\n\n/g)].map(([, event = '', data = '']) => ({
    event,
    data: JSON.parse(data) as Record<string, unknown>,
  }));
}

function namesOf(exchange: RecordedExchange): string[] {
  return eventsOf(exchange).map(({ event }) => event);
}

describe('wellKnown', () => {
  it('knows its two paths and nothing beside them', () => {
    expect(wellKnown('/.well-known/reveille')).toEqual({ kind: 'status', routedPath: undefined });
    expect(wellKnown('/.well-known/reveille/events?path=%2Fapi%2Fx')).toEqual({ kind: 'events', routedPath: '/api/x' });
    for (const target of [
      '/',
      '/.well-known/reveillex',
      '/.well-known/reveille/',
      '/.well-known/reveille/events/x',
      '/x/.well-known/reveille',
    ]) {
      expect(wellKnown(target), target).toBeUndefined();
    }
  });
});

describe('the status of a service', () => {
  it('is its name and status, and nothing else, never cached, open to no other origin', () => {
    const exchange = new RecordedExchange();
    feedOf().serve(exchange, 'status', waking());
    expect(JSON.parse(exchange.sent.body)).toEqual({ service: 'web', status: 'waking' });
    expect(exchange.sent.headers).toMatchObject({ 'content-type': 'application/json', 'cache-control': 'no-store' });
    expect(exchange.sent.headers).not.toHaveProperty('access-control-allow-origin');
  });

  it('can only be read', () => {
    const exchange = new RecordedExchange({ method: 'POST' });
    feedOf().serve(exchange, 'status', waking());
    expect(exchange.sent.status).toBe(405);
    expect(exchange.sent.headers['allow']).toBe('GET, HEAD');
  });
});

describe('WakeFeed', () => {
  it('tells the present state first', () => {
    const exchange = new RecordedExchange();
    clock.advance(1500);
    feedOf().serve(exchange, 'events', waking({ lines: ['one'] }));
    expect(exchange.sent.headers).toMatchObject({
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-request-id': 'req-1',
    });
    const data = {
      state: 'progress',
      phase: 'build',
      text: 'Building its image',
      note: 'Step 2/7 : COPY . .',
      ratio: 0.4,
      elapsedMs: 1500,
      lines: ['one'],
    };
    expect(eventsOf(exchange)).toMatchObject([{ event: 'progress', data }]);
  });

  it('keeps lines, steps and details to itself in production', () => {
    const feed = feedOf({ development: false });
    const exchange = attached(feed, waking({ detail: 'SECRET', lines: ['SECRET'] }));
    const failure = { code: 'build_failed', detail: 'SECRET', logTail: ['SECRET'], atEpochMs: 0 };
    feed.serviceChanged(serviceView({ status: 'failed', failure }));
    expect(namesOf(exchange)).toEqual(['progress', 'failed']);
    expect(exchange.sent.body).not.toContain('SECRET');
    expect(exchange.sent.body).toContain('Its image could not be built.');
  });

  it('tells that the service is ready within the same turn, and ends', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    feed.serviceChanged(awakeView());
    expect(namesOf(exchange)).toEqual(['progress', 'ready']);
    expect(exchange.sent.ended).toBe(true);
    expect(feed.open).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it('is over at once when the service is ready already', () => {
    const feed = feedOf();
    const exchange = attached(feed, awakeView());
    expect(namesOf(exchange)).toEqual(['ready']);
    expect(exchange.sent.ended).toBe(true);
    expect(feed.open).toBe(0);
  });

  it('does not call a service ready that has no instance to send to', () => {
    expect(namesOf(attached(feedOf(), serviceView({ status: 'awake' })))).toEqual(['progress']);
  });

  it('stays open after a failure: somebody else may wake the service', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    const failure = { code: 'instance_exited', detail: 'exit 1', logTail: ['boom'], atEpochMs: 0 };
    feed.serviceChanged(serviceView({ status: 'failed', failure }));
    feed.serviceChanged(waking({ phase: 'start' }));
    feed.serviceChanged(awakeView());
    expect(namesOf(exchange)).toEqual(['progress', 'failed', 'progress', 'ready']);
    expect(eventsOf(exchange)[1]?.data).toMatchObject({
      headline: 'web did not start',
      text: 'exit 1',
      note: 'instance_exited',
      lines: ['boom'],
    });
  });

  it('tells when the service has fallen asleep again', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    feed.serviceChanged(serviceView());
    expect(namesOf(exchange)).toEqual(['progress', 'asleep']);
  });

  it('tells each only of its own service', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    feed.serviceChanged(awakeView({ name: 'other' }));
    expect(namesOf(exchange)).toEqual(['progress']);
  });

  it('tells a new phase at once and many lines within one a few times a second', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    for (let i = 1; i <= 50; i += 1) feed.serviceChanged(waking({ ratio: 0.4 + i / 1000 }));
    expect(namesOf(exchange)).toHaveLength(1);
    clock.advance(100);
    expect(eventsOf(exchange).map(({ data }) => data['ratio'])).toEqual([0.4, 0.45]);
    feed.serviceChanged(waking({ phase: 'start' }));
    expect(eventsOf(exchange).at(-1)?.data['phase']).toBe('start');
  });

  it('keeps only the latest state for a slow client', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    exchange.full = true;
    feed.serviceChanged(waking({ phase: 'start', ratio: 0.5 }));
    for (const phase of ['ready', 'start', 'ready'] as const) feed.serviceChanged(waking({ phase, ratio: 0.9 }));
    expect(eventsOf(exchange)).toHaveLength(2);
    exchange.drain();
    expect(eventsOf(exchange).map(({ data }) => data['phase'])).toEqual(['build', 'start', 'ready']);
    feed.serviceChanged(awakeView());
    expect(exchange.sent.ended).toBe(true);
  });

  it('cuts a client off that has unread states when the service is ready, so that nothing stays open', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    exchange.full = true;
    feed.serviceChanged(waking({ phase: 'start' }));
    feed.serviceChanged(awakeView());
    expect(exchange.sent.aborted).toBe(true);
    expect(feed.open).toBe(0);
  });

  it('sends a heartbeat, and gives up a client that reads nothing for two of them', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    clock.advance(15_000);
    expect(exchange.sent.body).toMatch(/\n:\n\n$/);
    exchange.full = true;
    clock.advance(15_000);
    const { length } = exchange.sent.body;
    clock.advance(15_000);
    expect(exchange.sent.aborted).toBe(false);
    clock.advance(15_000);
    expect(exchange.sent.aborted).toBe(true);
    expect(exchange.sent.body).toHaveLength(length);
    expect(feed.open).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it('forgets a client that leaves, and its timers with the last one', () => {
    const feed = feedOf();
    const [first, second] = [attached(feed), attached(feed)];
    feed.serviceChanged(waking({ ratio: 0.5 }));
    first.leave();
    first.leave();
    expect(feed.open).toBe(1);
    second.leave();
    expect(feed.open).toBe(0);
    expect(clock.pendingCount).toBe(0);
  });

  it('opens no more streams than it may', () => {
    const feed = feedOf({ maxOpen: 2 });
    const [first, , third] = [attached(feed), attached(feed), attached(feed)];
    expect(third.sent.status).toBe(503);
    expect(third.sent.headers['retry-after']).toBe('5');
    first.leave();
    expect(attached(feed).sent.status).toBe(200);
  });

  it('ends the streams of a service that is gone', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    feed.serviceRemoved('web');
    feed.serviceRemoved('unknown');
    expect(exchange.sent.ended).toBe(true);
    expect(feed.open).toBe(0);
  });

  it('answers HEAD with the head alone', () => {
    const feed = feedOf();
    const exchange = new RecordedExchange({ method: 'HEAD' });
    feed.serve(exchange, 'events', waking());
    expect(exchange.sent).toMatchObject({ status: 200, body: '', ended: true });
    expect(feed.open).toBe(0);
  });

  it('ends everything when it closes, twice if need be, and takes nobody after', () => {
    const feed = feedOf();
    const exchange = attached(feed);
    feed.close();
    feed.close();
    expect(exchange.sent.ended).toBe(true);
    expect(clock.pendingCount).toBe(0);
    expect(attached(feed).sent.status).toBe(503);
  });
});
