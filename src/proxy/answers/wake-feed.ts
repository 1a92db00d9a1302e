import type { Clock, Timer } from '../../lib/clock.ts';
import type { ServiceView } from '../../seam/fleet-view.ts';
import type { ClientExchange } from '../exchange/client-exchange.ts';
import { respondWithError } from './error-response.ts';
import { FeedClient } from './feed-client.ts';
import { wakeState, type WakeState } from './wake-state.ts';
import type { WellKnown } from './well-known.ts';

export interface WakeFeedOptions {
  readonly clock: Clock;
  /** Whether log lines and details may be told. */
  readonly development: boolean;
  /** How many streams may be open in all; more are answered 503. */
  readonly maxOpen?: number;
  readonly heartbeatMs?: number;
  /** A busy build writes many lines a second; progress within a phase is told no more often than this. */
  readonly progressEveryMs?: number;
}

interface Channel {
  readonly clients: Set<FeedClient>;
  /** What is to be told when the pause is over. */
  view: ServiceView;
  lastPhase: string;
  pause?: Timer;
}

/**
 * Tells whoever waits how far a wake has come, under `/.well-known/reveille` of every service host.
 * It only listens: asking here neither wakes a service nor keeps it awake.
 */
export class WakeFeed {
  readonly #options: Required<WakeFeedOptions>;
  readonly #channels = new Map<string, Channel>();
  #open = 0;
  #heartbeat: Timer | undefined;
  #closed = false;

  constructor(options: WakeFeedOptions) {
    this.#options = { maxOpen: 1000, heartbeatMs: 15_000, progressEveryMs: 100, ...options };
  }

  /** How many event streams are open. */
  get open(): number {
    return this.#open;
  }

  /** Answers a request for a path of `wellKnown`. */
  serve(exchange: ClientExchange, kind: WellKnown['kind'], view: ServiceView): void {
    if (exchange.method !== 'GET' && exchange.method !== 'HEAD') {
      const detail = `${exchange.method} is not possible here: use GET.`;
      this.#refuse(exchange, { code: 'method_not_allowed', detail, allow: 'GET, HEAD' });
      return;
    }
    if (kind === 'events') {
      this.attach(exchange, view);
      return;
    }
    const headers = ['content-type', 'application/json', 'cache-control', 'no-store'];
    exchange.respond(200, headers, JSON.stringify({ service: view.name, status: view.status }));
  }

  /** Opens an event stream: the present state first, then every change until the service is ready or the client goes. */
  attach(exchange: ClientExchange, view: ServiceView): void {
    if (exchange.abandoned) return;
    if (this.#closed) {
      this.#refuse(exchange, { code: 'draining', detail: 'The proxy is restarting.' });
      return;
    }
    if (this.#open >= this.#options.maxOpen) {
      this.#refuse(exchange, {
        code: 'too_many_feeds',
        detail: 'Too many pages are waiting; ask for the status instead.',
      });
      return;
    }
    const client = new FeedClient(exchange);
    client.open();
    const state = this.#state(view);
    if (exchange.method === 'HEAD') {
      client.end();
      return;
    }
    // Starting a container makes browsers on this machine drop their connections: the page must be back before it is ready.
    client.send(`retry: 300\n\n${message(state)}`);
    if (state.state === 'ready') client.end();
    else this.#join(client, exchange, view);
  }

  /** Tells all who wait for this service. */
  serviceChanged(view: ServiceView): void {
    const channel = this.#channels.get(view.name);
    if (channel === undefined) return;
    channel.view = view;
    const state = this.#state(view);
    const minor = state.state === 'progress' && state.phase === channel.lastPhase;
    if (!minor) {
      this.#tell(channel, state);
      return;
    }
    channel.pause ??= this.#options.clock.after(this.#options.progressEveryMs, () =>
      this.#tell(channel, this.#state(channel.view)),
    );
  }

  /** Ends the streams of a service that is no longer there; the page then finds out by asking again. */
  serviceRemoved(name: string): void {
    const channel = this.#channels.get(name);
    if (channel !== undefined) this.#finish(name, channel);
  }

  /** Ends every stream; the pages come back to whoever listens then. */
  close(): void {
    this.#closed = true;
    for (const name of [...this.#channels.keys()]) this.serviceRemoved(name);
  }

  #join(client: FeedClient, exchange: ClientExchange, view: ServiceView): void {
    const { name } = view;
    const channel = this.#channels.get(name) ?? { clients: new Set(), view, lastPhase: this.#state(view).phase ?? '' };
    this.#channels.set(name, channel);
    channel.clients.add(client);
    this.#open += 1;
    exchange.watch({ onAbandoned: () => this.#leave(name, channel, client) });
    this.#heartbeat ??= this.#options.clock.after(this.#options.heartbeatMs, () => this.#beat());
  }

  #leave(name: string, channel: Channel, client: FeedClient): void {
    if (!channel.clients.delete(client)) return;
    this.#open -= 1;
    if (channel.clients.size === 0) this.#drop(name, channel);
  }

  #finish(name: string, channel: Channel): void {
    for (const client of channel.clients) client.end();
    this.#drop(name, channel);
  }

  #drop(name: string, channel: Channel): void {
    channel.pause?.cancel();
    this.#open -= channel.clients.size;
    channel.clients.clear();
    if (this.#channels.get(name) === channel) this.#channels.delete(name);
    if (this.#open > 0) return;
    this.#heartbeat?.cancel();
    this.#heartbeat = undefined;
  }

  #tell(channel: Channel, state: WakeState): void {
    channel.pause?.cancel();
    delete channel.pause;
    channel.lastPhase = state.phase ?? '';
    const text = message(state);
    for (const client of channel.clients) client.send(text);
    if (state.state === 'ready') this.#finish(channel.view.name, channel);
  }

  #beat(): void {
    this.#heartbeat = undefined;
    for (const [name, channel] of [...this.#channels]) {
      for (const client of [...channel.clients]) {
        if (client.beat()) continue;
        client.abort();
        this.#leave(name, channel, client);
      }
    }
    if (this.#open > 0) this.#heartbeat = this.#options.clock.after(this.#options.heartbeatMs, () => this.#beat());
  }

  #state(view: ServiceView): WakeState {
    return wakeState(view, { development: this.#options.development, nowEpochMs: this.#options.clock.epochMs() });
  }

  #refuse(exchange: ClientExchange, error: { code: string; detail: string; allow?: string }): void {
    const { development, clock } = this.#options;
    respondWithError(exchange, error, { development, nowEpochMs: clock.epochMs() });
  }
}

/** JSON has no line breaks, so one data line carries the whole state. */
function message(state: WakeState): string {
  return `event: ${state.state}\ndata: ${JSON.stringify(state)}\n\n`;
}
