import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect } from 'node:tls';
import type { FrontAddress } from '../front-address.ts';

/** Streams that one session carries before another takes its place. */
const STREAMS_PER_SESSION = 60;
/** Far less than much content, so that it comes in many rounds. */
const NARROW_WINDOW_BYTES = 4_096;

/** HTTP/2 sessions that many exchanges share, with the same window for each stream. */
export class Http2Lane {
  readonly #tls: FrontAddress;
  readonly #settings: { readonly initialWindowSize?: number };
  readonly #sessions = new Set<ClientHttp2Session>();
  #current: Promise<ClientHttp2Session> | undefined;
  #used = 0;

  constructor(tls: FrontAddress, window: 'narrow' | 'wide') {
    this.#tls = tls;
    this.#settings = window === 'narrow' ? { initialWindowSize: NARROW_WINDOW_BYTES } : {};
  }

  session(): Promise<ClientHttp2Session> {
    this.#used += 1;
    if (this.#current === undefined || this.#used > STREAMS_PER_SESSION) {
      this.#used = 1;
      this.#current = this.#open();
    }
    return this.#current;
  }

  close(): void {
    for (const session of this.#sessions) session.destroy();
  }

  async #open(): Promise<ClientHttp2Session> {
    const session = connectHttp2('https://app.test', {
      createConnection: () => connect({ ...this.#tls, ALPNProtocols: ['h2'] }),
      settings: this.#settings,
    });
    session.on('error', () => undefined);
    this.#sessions.add(session);
    session.once('close', () => this.#sessions.delete(session));
    await once(session, 'connect');
    return session;
  }
}
