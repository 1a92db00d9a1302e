import type { Endpoint } from '../../seam/fleet-view.ts';
import type { ResponseLimits } from './response-parser.ts';
import type { Ticker, Ticking } from './ticker.ts';
import type { ChannelPool } from './upstream-channel.ts';
import { ForwardedLines } from './forwarded-lines.ts';
import type { ConnectionOwner, SharedByConnections } from './upstream-connection.ts';
import { UpstreamConnection } from './upstream-connection.ts';

export interface UpstreamPoolOptions {
  readonly responseLimits: ResponseLimits;
  readonly maxIdlePerUpstream: number;
  readonly idleTimeoutMs: number;
}

/** What an upstream says about its own idle time is cut by this, so that we close first. */
const KEEP_ALIVE_MARGIN_MS = 1_000;
/** What Node reads at most at a time. */
const READ_BUFFER_BYTES = 65_536;

/**
 * All connections to upstreams; the idle ones by endpoint, the one used last first. Idle connections are read: data or
 * an end destroys them. A limit for those in use is the admission's business.
 */
export class UpstreamPool implements ChannelPool, ConnectionOwner, Ticking {
  readonly #options: UpstreamPoolOptions;
  readonly #ticker: Ticker;
  readonly #all = new Set<UpstreamConnection>();
  readonly #shared: SharedByConnections;
  readonly #idle = new Map<string, UpstreamConnection[]>();
  /** Made once: a new text would have to be hashed again for every request. */
  readonly #keys = new WeakMap<Endpoint, string>();
  #idleCount = 0;

  constructor(options: UpstreamPoolOptions, ticker: Ticker) {
    this.#options = options;
    this.#ticker = ticker;
    const readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
    this.#shared = { limits: options.responseLimits, readBuffer, forwardedLines: new ForwardedLines() };
  }

  get open(): number {
    return this.#all.size;
  }

  get idle(): number {
    return this.#idleCount;
  }

  connect(endpoint: Endpoint): UpstreamConnection {
    const connection = new UpstreamConnection(this.#keyOf(endpoint), endpoint, this, this.#shared);
    this.#all.add(connection);
    return connection;
  }

  take(endpoint: Endpoint): UpstreamConnection | undefined {
    const connection = this.#idle.get(this.#keyOf(endpoint))?.pop();
    if (connection !== undefined) this.#idleCount -= 1;
    return connection;
  }

  /** Kept when that is safe, otherwise destroyed. */
  onReleased(connection: UpstreamConnection): void {
    const lifetimeMs = this.#idleLifetime(connection);
    if (!connection.reusable || lifetimeMs <= 0) {
      connection.destroy();
      return;
    }
    connection.unassign();
    this.#keep(connection, this.#ticker.deadline(lifetimeMs));
  }

  onClosed(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    const key = connection.key;
    const idle = this.#idle.get(key);
    if (idle === undefined) return;
    const at = idle.indexOf(connection);
    if (at !== -1) {
      idle.splice(at, 1);
      this.#idleCount -= 1;
    }
    if (idle.length === 0) this.#idle.delete(key);
    if (this.#idleCount === 0) this.#ticker.delete(this);
  }

  tick(nowMs: number): void {
    for (const connections of this.#idle.values()) {
      for (const connection of connections) if (connection.idleDeadline <= nowMs) connection.destroy();
    }
  }

  destroyIdle(): void {
    for (const connections of this.#idle.values()) for (const connection of connections) connection.destroy();
  }

  destroyAll(): void {
    for (const connection of this.#all) connection.destroy();
  }

  #keep(connection: UpstreamConnection, idleDeadline: number): void {
    const key = connection.key;
    let idle = this.#idle.get(key);
    if (idle === undefined) this.#idle.set(key, (idle = []));
    if (idle.length >= this.#options.maxIdlePerUpstream) {
      connection.destroy();
      return;
    }
    connection.idleDeadline = idleDeadline;
    idle.push(connection);
    this.#idleCount += 1;
    if (this.#idleCount === 1) this.#ticker.add(this);
  }

  #keyOf(endpoint: Endpoint): string {
    let key = this.#keys.get(endpoint);
    if (key === undefined) this.#keys.set(endpoint, (key = endpointKey(endpoint)));
    return key;
  }

  #idleLifetime({ keepAliveSeconds }: UpstreamConnection): number {
    const { idleTimeoutMs } = this.#options;
    if (keepAliveSeconds === undefined) return idleTimeoutMs;
    return Math.min(idleTimeoutMs, keepAliveSeconds * 1_000 - KEEP_ALIVE_MARGIN_MS);
  }
}

export function endpointKey({ host, port, tls }: Endpoint): string {
  return tls ? `tls ${host}:${port}` : `${host}:${port}`;
}
