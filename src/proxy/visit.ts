import type { WakeTimings } from '../seam/control-link.ts';
import type { Tie } from '../dispatch/affinity.ts';
import type { Lease } from '../dispatch/lease.ts';
import type { AccessEntry } from './access-log.ts';
import type { ClientExchange } from './exchange/client-exchange.ts';
import type { ForwardResult } from './forward/forward-result.ts';
import type { Tunnel } from './forward/tunnel.ts';
import type { Http1UpgradeExchange } from './exchange/http1-upgrade-exchange.ts';

/** One request on its way through the proxy: what is learned about it along the way, for its answer and for the log. */
export class Visit {
  readonly exchange: ClientExchange;
  /** The same exchange, when it asks to leave HTTP. */
  readonly upgrade: Http1UpgradeExchange | undefined;
  readonly startedMs: number;
  service: string | undefined;
  instance: string | undefined;
  status = 0;
  code: string | undefined;
  detail: string | undefined;
  /** How long it waited for the service to wake. */
  wakeMs: number | undefined;
  wake: WakeTimings | undefined;
  /** What the client's cookie says, where clients keep to an instance. */
  tie: Tie | undefined;
  sessionId: string | undefined;
  /** What it has become by a 101. */
  tunnel: Tunnel | undefined;
  /** Of an instance that serves a tunnel, to be released when that closes. */
  lease: Lease | undefined;

  constructor(exchange: ClientExchange, startedMs: number, upgrade?: Http1UpgradeExchange) {
    this.exchange = exchange;
    this.upgrade = upgrade;
    this.startedMs = startedMs;
  }

  /** How forwarding it ended. */
  note({ outcome, status = 0, error, tunnel }: ForwardResult): void {
    this.status = status;
    this.tunnel = tunnel;
    if (outcome !== 'completed') this.code = error?.code ?? outcome;
    this.detail = error?.message;
  }

  /** `Server-Timing` of a request that was held (W3C Server Timing; durations in milliseconds). */
  serverTiming(): string | undefined {
    if (this.wakeMs === undefined) return undefined;
    const { controlMs, dependenciesMs, buildMs, startMs, readyMs } = this.wake ?? {};
    const parts = { control: controlMs, dependencies: dependenciesMs, build: buildMs, start: startMs, ready: readyMs };
    const known = Object.entries(parts).flatMap(([name, ms]) =>
      ms === undefined ? [] : [`${name};dur=${ms.toFixed(1)}`],
    );
    return [`wake;dur=${this.wakeMs.toFixed(1)}`, ...known].join(', ');
  }

  entry(nowMs: number): AccessEntry {
    const { requestId, method, host, target } = this.exchange;
    const query = target.indexOf('?');
    return {
      requestId,
      method,
      host,
      path: query < 0 ? target : target.slice(0, query),
      status: this.status,
      durationMs: tenths(nowMs - this.startedMs),
      ...(this.service !== undefined && { service: this.service }),
      ...(this.instance !== undefined && { instance: this.instance }),
      ...(this.code !== undefined && { code: this.code }),
      ...(this.detail !== undefined && { detail: this.detail }),
      ...(this.wakeMs !== undefined && { wakeMs: tenths(this.wakeMs) }),
    };
  }
}

/** What a log has no use for is rounded away. */
export function tenths(ms: number): number {
  return Math.round(ms * 10) / 10;
}
