import { Affinity } from '../dispatch/affinity.ts';
import { SessionBoard } from '../dispatch/session-board.ts';
import { Dispatcher } from '../dispatch/dispatcher.ts';
import { AddressList } from '../lib/address-list.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { ControlLink } from '../seam/control-link.ts';
import type { Endpoint, FleetUpdate } from '../seam/fleet-view.ts';
import { AccessLog, type AccessLogMode } from './access-log.ts';
import type { ForwardLimits } from './forward/forward-limits.ts';
import { Forwarder } from './forward/forwarder.ts';
import type { ListenerLimits } from './listen/listener-limits.ts';
import { Listener, type CertificateSource } from './listen/listener.ts';
import { listenWithFallback, type Listening } from './listen/listening.ts';
import { Redirect } from './listen/redirect.ts';
import type { Refusal } from './listen/refusal.ts';
import { RequestHandler } from './request-handler.ts';
import { RequestIds } from './listen/request-ids.ts';
import { Router } from './router.ts';
import { TrafficTally } from './traffic-tally.ts';
import { TrafficTeller } from './traffic-teller.ts';
import { WakeFeed } from './answers/wake-feed.ts';

export interface DataHalfOptions {
  readonly link: ControlLink;
  readonly certificates: CertificateSource & {
    sameCertificate(serverName: string | undefined, host: string): boolean;
  };
  readonly clock: Clock;
  readonly log: Logger;
  readonly development: boolean;
  /** The file that says which services there are, for who looks for one that there is not. */
  readonly manifest: string;
  readonly address: string;
  readonly httpsPort: number;
  /** Undefined: no redirect. */
  readonly httpPort: number | undefined;
  readonly admin: { readonly host: string; readonly endpoint: Endpoint };
  /** Signs the cookies that tie clients to instances. */
  readonly affinitySecret: Uint8Array;
  /** 48 bytes: so that TLS sessions are resumed after a restart and by every other process that has them. */
  readonly ticketKeys: Buffer;
  readonly trustedProxies: readonly string[];
  readonly accessLog: AccessLogMode;
  readonly listenerLimits: Partial<ListenerLimits>;
  readonly forwardLimits: Partial<ForwardLimits>;
  readonly notice: () => string | undefined;
}

export interface ListeningPorts {
  readonly https: Listening;
  readonly http: Listening | undefined;
}

/** Where development goes when the usual ports may not be had. */
const FALLBACKS = { https: 8443, http: 8080 };
const LAST_CALL_MS = 1_000;
/** Who listens here listens on every address. */
const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);

/** Everything between a client and an instance: listeners, router, dispatcher, forwarder. Knows the fleet only through the link. */
export class DataHalf {
  readonly #options: DataHalfOptions;
  readonly #dispatcher: Dispatcher;
  readonly #router = new Router();
  readonly #feed: WakeFeed;
  readonly #forwarder: Forwarder;
  readonly #listener: Listener;
  readonly #redirect: Redirect;
  readonly #accessLog: AccessLog;
  readonly #sessions: SessionBoard;
  readonly #tally = new TrafficTally();
  readonly #teller: TrafficTeller;
  #trusted: AddressList;
  readonly #waysOut: (() => void)[] = [];

  constructor(options: DataHalfOptions) {
    const { link, clock, log, development, certificates, listenerLimits: limits, ticketKeys } = options;
    this.#options = options;
    this.#trusted = new AddressList(options.trustedProxies);
    const trusted = (address: string): boolean => this.#trusted.has(address);
    const requestIds = new RequestIds(trusted);
    const onRefused = (refusal: Refusal): void => this.#refused(refusal);
    this.#accessLog = new AccessLog(log, options.accessLog);
    this.#dispatcher = new Dispatcher({ clock, link, random: Math.random });
    this.#feed = new WakeFeed({ clock, development });
    this.#forwarder = new Forwarder({ clock, trusted, limits: options.forwardLimits });
    this.#sessions = new SessionBoard(clock, link);
    this.#teller = new TrafficTeller(this.#tally, clock, link);
    const handler = this.#createHandler();
    const handlers = {
      onExchange: handler.handle.bind(handler),
      onUpgrade: handler.upgrade.bind(handler),
      onRefused,
    };
    this.#listener = new Listener({ certificates, handlers, requestIds, log, trusted, limits, ticketKeys });
    this.#redirect = new Redirect({
      httpsPort: () => this.#listener.port,
      requestIds,
      log,
      trusted,
      limits,
      onRefused,
    });
  }

  get httpsPort(): number {
    return this.#listener.port;
  }

  /** @throws CodedError when a port cannot be had; in development another one is taken */
  async start(): Promise<ListeningPorts> {
    const { link, address, httpsPort, httpPort, development } = this.#options;
    this.#waysOut.push(link.onPeerNews((news) => this.#dispatcher.hear(news)));
    this.#waysOut.push(link.subscribe((update) => this.#apply(update)));
    this.#teller.start();
    const fallbacks = development ? FALLBACKS : undefined;
    const https = await listenWithFallback(this.#listener, address, httpsPort, fallbacks?.https);
    if (httpPort === undefined) return { https, http: undefined };
    return { https, http: await listenWithFallback(this.#redirect, address, httpPort, fallbacks?.http) };
  }

  /** So that containers reach us under the address of their network's gateway. */
  async listenAlso(address: string): Promise<void> {
    if (!EVERYWHERE.has(this.#options.address)) await this.#listener.listenAlso(address);
  }

  apply(settings: { readonly trustedProxies: readonly string[]; readonly accessLog: AccessLogMode }): void {
    this.#trusted = new AddressList(settings.trustedProxies);
    this.#accessLog.mode = settings.accessLog;
  }

  /** Takes no new connections, lets what runs come to its end, and cuts the rest after `timeoutMs`. */
  async close(timeoutMs: number): Promise<void> {
    // Those who only watch a wake need not be waited for.
    this.#feed.close();
    // Who still waits for a wake when the time is nearly over gets an answer, not a broken connection.
    const lastCall = this.#options.clock.after(Math.max(0, timeoutMs - LAST_CALL_MS), () =>
      this.#dispatcher.turnAway(),
    );
    await Promise.all([this.#listener.drain({ timeoutMs }), this.#redirect.drain({ timeoutMs })]);
    lastCall.cancel();
    await this.#forwarder.close();
    this.#sessions.flush();
    this.#teller.close();
    for (const wayOut of this.#waysOut) wayOut();
  }

  #createHandler(): RequestHandler {
    const { clock, log, development, certificates, admin, notice, affinitySecret, link: control } = this.#options;
    const { manifest } = this.#options;
    return new RequestHandler({
      ...{ clock, log, development, admin, notice, control, manifest },
      dashboardUrl: () => `https://${admin.host}${this.httpsPort === 443 ? '' : `:${this.httpsPort}`}/`,
      router: this.#router,
      dispatcher: this.#dispatcher,
      forwarder: this.#forwarder,
      feed: this.#feed,
      accessLog: this.#accessLog,
      tally: this.#tally,
      affinity: new Affinity(affinitySecret),
      sessions: this.#sessions,
      sameCertificate: (serverName, host) => serverName === host || certificates.sameCertificate(serverName, host),
    });
  }

  #apply(update: FleetUpdate): void {
    this.#dispatcher.apply(update);
    this.#router.apply(update, this.#dispatcher);
    for (const view of update.services) this.#feed.serviceChanged(view);
    for (const name of update.removed) this.#feed.serviceRemoved(name);
    this.#options.link.reportSeen(update.version);
  }

  #refused(refusal: Refusal): void {
    const { requestId, status, code, detail, method = '-', host = '-' } = refusal;
    this.#tally.countRefused(method, status);
    this.#accessLog.write({ requestId, method, host, path: '', status, durationMs: 0, code, detail });
  }
}
