import type { Socket } from 'node:net';
import type { RawHeaders } from '../exchange/client-exchange.ts';
import type { Http1UpgradeExchange } from '../exchange/http1-upgrade-exchange.ts';
import type { UpstreamHead } from './response-head-parser.ts';
import { interimFields } from './response-fields.ts';
import type { Ticker, Ticking } from './ticker.ts';
import { fieldLines } from './trailer-fields.ts';

export interface TunnelOptions {
  readonly upgrade: Http1UpgradeExchange;
  readonly upstream: Socket;
  /** The 101 of the upstream. */
  readonly head: UpstreamHead;
  /** What came from the upstream after it. */
  readonly rest: Buffer;
  readonly extra: RawHeaders;
  readonly via: string;
  readonly ticker: Ticker;
  /** How long one side may leave unread what it is sent, or say nothing after the other has said its last. */
  readonly stallTimeoutMs: number;
}

/** Sends the 101 to the client and joins the two sockets. Resolves with the bytes carried when both are closed. */
export function tunnel({
  upgrade,
  upstream,
  head,
  rest,
  extra,
  via,
  ticker,
  stallTimeoutMs,
}: TunnelOptions): Promise<number> {
  const { socket: client, early } = upgrade.takeSocket();
  const own = [...extra, 'Via', `1.1 ${via}`, 'X-Request-Id', upgrade.requestId];
  const fields = [...interimFields(head), ...own, 'Connection', 'Upgrade', 'Upgrade', 'websocket'];
  client.write(`HTTP/1.1 101 ${head.reason}\r\n${fieldLines(fields)}\r\n`, 'latin1');
  if (rest.length > 0) client.write(rest);
  if (early.length > 0) upstream.write(early);
  const guard = new TunnelGuard(client, upstream, ticker, stallTimeoutMs);
  return guard.run();
}

/** Two sockets that are one connection: bytes, back-pressure, a half-close and an end in one are felt in the other. */
class TunnelGuard implements Ticking {
  readonly #client: Socket;
  readonly #upstream: Socket;
  readonly #ticker: Ticker;
  readonly #stallTimeoutMs: number;
  #carried = 0;
  #deadline = Infinity;

  constructor(client: Socket, upstream: Socket, ticker: Ticker, stallTimeoutMs: number) {
    this.#client = client;
    this.#upstream = upstream;
    this.#ticker = ticker;
    this.#stallTimeoutMs = stallTimeoutMs;
  }

  async run(): Promise<number> {
    const closed = Promise.all([closeOf(this.#client), closeOf(this.#upstream)]);
    this.#join(this.#client, this.#upstream);
    this.#join(this.#upstream, this.#client);
    this.#ticker.add(this);
    await closed;
    this.#ticker.delete(this);
    return this.#client.bytesRead + this.#upstream.bytesRead;
  }

  /** Nothing is asked of a silent tunnel; one that is stuck or half closed has to move within the limit. */
  tick(nowMs: number): void {
    const carried = this.#client.bytesRead + this.#upstream.bytesRead;
    const moves = carried !== this.#carried;
    this.#carried = carried;
    if (moves || !this.#mustMove) this.#deadline = this.#ticker.deadline(this.#stallTimeoutMs);
    else if (nowMs >= this.#deadline) {
      this.#client.destroy();
      this.#upstream.destroy();
    }
  }

  get #mustMove(): boolean {
    const stuck = this.#client.writableNeedDrain || this.#upstream.writableNeedDrain;
    return stuck || this.#client.readableEnded || this.#upstream.readableEnded;
  }

  #join(from: Socket, to: Socket): void {
    from.allowHalfOpen = true;
    from.setNoDelay(true);
    from.setTimeout(0);
    // `pipe` ends the other side when this one ends: that is the half-close. A close without an end is none.
    from.once('close', () => {
      if (!from.readableEnded || to.writableFinished) to.destroy();
    });
    if (from.destroyed) to.destroy();
    else from.pipe(to);
  }
}

function closeOf(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    if (socket.closed) resolve();
    else socket.once('close', resolve);
  });
}
