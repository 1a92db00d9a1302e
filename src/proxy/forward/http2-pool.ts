import type { Endpoint } from '../../seam/fleet-view.ts';
import { Http2Channel, type ChannelLimits, type ChannelOwner } from './http2-channel.ts';
import { Http2Session, type Http2SessionLimits, type SessionOwner } from './http2-session.ts';
import type { Ticker, Ticking } from './ticker.ts';
import type { ChannelPool } from './upstream-channel.ts';
import { endpointKey } from './upstream-pool.ts';

export interface Http2PoolLimits extends Http2SessionLimits, ChannelLimits {
  readonly maxSessionsPerUpstream: number;
  readonly connectTimeoutMs: number;
  readonly idleTimeoutMs: number;
}

/** The sessions of one upstream, the oldest first, and who waits for a place on one. */
interface Site {
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly sessions: Http2Session[];
  readonly waiting: Set<Http2Channel>;
}

/** What a session that is not ready yet may be expected to take: RFC 9113 6.5.2 recommends no less. */
const EXPECTED_STREAMS = 100;

/**
 * HTTP/2 sessions by upstream. The oldest one with room is used first, so that the others come to rest; more are made
 * only when all are full. Whoever finds no place waits in line, at most until its own deadline.
 */
export class Http2Pool implements ChannelPool, SessionOwner, ChannelOwner, Ticking {
  readonly #limits: Http2PoolLimits;
  readonly #ticker: Ticker;
  readonly #sites = new Map<string, Site>();

  constructor(limits: Http2PoolLimits, ticker: Ticker) {
    this.#limits = limits;
    this.#ticker = ticker;
  }

  get open(): number {
    return this.#count(() => true);
  }

  get idle(): number {
    return this.#count((session) => session.ready && session.idle);
  }

  take(endpoint: Endpoint): Http2Channel | undefined {
    const site = this.#sites.get(endpointKey(endpoint));
    const session = site?.sessions.find(({ hasRoom }) => hasRoom);
    if (session === undefined) return undefined;
    session.deadline = Infinity;
    return new Http2Channel(this, this.#limits, session);
  }

  connect(endpoint: Endpoint): Http2Channel {
    const key = endpointKey(endpoint);
    let site = this.#sites.get(key);
    if (site === undefined) this.#sites.set(key, (site = { key, endpoint, sessions: [], waiting: new Set() }));
    const channel = new Http2Channel(this, this.#limits);
    site.waiting.add(channel);
    this.#open(site);
    // With as many sessions as there may be, none is new: one that has room has to do, and nobody else will say so.
    if (site.sessions.every(({ ready }) => ready)) process.nextTick(() => this.#share(site));
    return channel;
  }

  onGivenUp(channel: Http2Channel): void {
    for (const { waiting } of this.#sites.values()) if (waiting.delete(channel)) return;
  }

  onRoom(session: Http2Session): void {
    if (session.idle) session.deadline = this.#ticker.deadline(this.#limits.idleTimeoutMs);
    const site = this.#sites.get(session.key);
    for (const channel of site?.waiting ?? []) {
      if (!session.hasRoom) return;
      site?.waiting.delete(channel);
      session.deadline = Infinity;
      channel.begin(session);
    }
  }

  /**
   * Streams that nobody wants close at once, unless nghttp2 is deaf: after an error of the connection it neither reads nor
   * resets anything, and says so to nobody.
   */
  onUnwanted(session: Http2Session): void {
    session.deadline = this.#ticker.deadline(this.#limits.pingTimeoutMs);
  }

  onClosed(session: Http2Session): void {
    const site = this.#sites.get(session.key);
    if (site === undefined) return;
    site.sessions.splice(site.sessions.indexOf(session), 1);
    // A session that never came about says how another one would fare: nobody is kept waiting for that.
    if (session.ready) this.#open(site);
    else for (const channel of [...site.waiting]) channel.fail(session.failure(true, true));
    if (site.sessions.length === 0 && site.waiting.size === 0) this.#sites.delete(site.key);
    if (this.#sites.size === 0) this.#ticker.delete(this);
  }

  tick(nowMs: number): void {
    for (const session of this.#all()) {
      if (session.deadline > nowMs) continue;
      session.deadline = Infinity;
      if (!session.ready) session.giveUp(this.#limits.connectTimeoutMs);
      else if (session.idle) session.close();
      else session.destroy();
    }
  }

  destroyIdle(): void {
    for (const session of this.#all()) if (session.idle) session.destroy();
  }

  destroyAll(): void {
    for (const session of this.#all()) session.destroy();
  }

  #share({ sessions }: Site): void {
    for (const session of sessions) if (session.hasRoom) this.onRoom(session);
  }

  /** Another session, when those under way will not do for all who wait and there may be one more. */
  #open(site: Site): void {
    const usable = site.sessions.filter(({ closed }) => !closed);
    const connecting = usable.filter(({ ready }) => !ready).length;
    const expected = connecting * Math.min(EXPECTED_STREAMS, this.#limits.maxStreams);
    if (site.waiting.size <= expected || usable.length >= this.#limits.maxSessionsPerUpstream) return;
    const session = new Http2Session(site.key, site.endpoint, this.#limits, this);
    session.deadline = this.#ticker.deadline(this.#limits.connectTimeoutMs);
    site.sessions.push(session);
    this.#ticker.add(this);
  }

  #all(): Http2Session[] {
    return [...this.#sites.values()].flatMap(({ sessions }) => sessions);
  }

  #count(counts: (session: Http2Session) => boolean): number {
    return this.#all().filter((session) => counts(session)).length;
  }
}
