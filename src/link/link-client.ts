import { connect } from 'node:net';
import { Backoff } from '../lib/backoff.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import { deferred } from '../lib/deferred.ts';
import type { Logger } from '../lib/logger.ts';
import type {
  ActivityReport,
  BreakerReport,
  ControlLink,
  PeerNews,
  SessionReport,
  VerdictReport,
  WaitingReport,
  WakeTimings,
} from '../seam/control-link.ts';
import type { FleetUpdate } from '../seam/fleet-view.ts';
import type { TrafficReport } from '../seam/traffic-report.ts';
import { Channel } from './channel.ts';
import { LastSnapshot } from './last-snapshot.ts';
import { parseDown, PROTOCOL, type ControlFacts, type DownMessage, type UpMessage } from './messages.ts';
import { OpenSuspicions } from './open-suspicions.ts';
import { OpenTraffic } from './open-traffic.ts';
import { OpenWakes } from './open-wakes.ts';

export interface LinkClientOptions {
  /** Of the Unix socket of the control process. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly onFacts: (facts: ControlFacts) => void;
}

/** Whoever answers at the socket and tells nothing of the fleet by then is no control process. */
const SNAPSHOT_WITHIN_MS = 10_000;
/** A snapshot of ten thousand services is a tenth of it. */
const MAX_DOWN_BYTES = 64 * 1024 * 1024;
/** A control process that is reloaded needs a second or two. */
const BACK_WITHIN_MS = 10_000;
const RECONNECT = { initialMs: 20, maxMs: 1_000 };

/**
 * The control half as a data half has it that is a process of its own. While the control process is away, the last
 * snapshot stands, wakes wait, and it is looked for again and again; whatever counts is told anew to the next one.
 */
export class LinkClient implements ControlLink {
  readonly #options: LinkClientOptions;
  readonly #backoff = new Backoff(RECONNECT);
  readonly #snapshot = new LastSnapshot();
  readonly #first = deferred<undefined>();
  readonly #wakes: OpenWakes;
  readonly #suspicions: OpenSuspicions;
  readonly #traffic = new OpenTraffic((traffic) => this.#send({ type: 'traffic', ...traffic } as UpMessage));
  readonly #updates = new Set<(update: FleetUpdate) => void>();
  readonly #news = new Set<(news: PeerNews) => void>();
  readonly #onBack = new Set<() => void>();
  readonly #waiting = new Map<string, WaitingReport>();
  readonly #openBreakers = new Map<string, BreakerReport>();
  #channel: Channel<DownMessage> | undefined;
  /** What this control process has told is applied here: counts of ours mean something to it. */
  #synced = false;
  #port: number | undefined;
  #timer: Timer | undefined;
  #complaint: string | undefined;
  #closed = false;

  constructor(options: LinkClientOptions) {
    const { clock } = options;
    this.#options = options;
    this.#wakes = new OpenWakes(clock, (id, service) => this.#send({ type: 'wake', id, service }));
    this.#suspicions = new OpenSuspicions(clock, (id, service, instanceId) =>
      this.#send({ type: 'suspect', id, service, instanceId }),
    );
  }

  get away(): boolean {
    return !this.#synced;
  }

  async untilBack(): Promise<void> {
    const tooLong = new AbortController();
    const timer = this.#options.clock.after(BACK_WITHIN_MS, () => tooLong.abort());
    await new Promise<void>((resolve) => {
      this.#onBack.add(resolve);
      tooLong.signal.addEventListener('abort', () => resolve());
      if (this.#synced) resolve();
    });
    timer.cancel();
  }

  /** Resolves with the first snapshot, however long the control process takes to come. */
  async start(): Promise<void> {
    this.#connect();
    await this.#first.promise;
  }

  /** The port that clients use; the control half tells it to people and instances. */
  listening(port: number): void {
    this.#port = port;
    this.#send({ type: 'listening', port });
  }

  subscribe(listener: (update: FleetUpdate) => void): () => void {
    this.#updates.add(listener);
    listener(this.#snapshot.whole());
    return () => this.#updates.delete(listener);
  }

  wake(service: string): Promise<WakeTimings> {
    return this.#wakes.add(service);
  }

  suspect(service: string, instanceId: string): Promise<void> {
    return this.#synced ? this.#suspicions.add(service, instanceId) : Promise.resolve();
  }

  /** Counts mean something only to who has told of the fleet, and are made anew for the next one. */
  reportActivity(reports: readonly ActivityReport[]): void {
    this.#send({ type: 'activity', reports: [...reports] });
  }

  reportSeen(version: number): void {
    this.#send({ type: 'seen', version });
  }

  reportBreaker(report: BreakerReport): void {
    if (report.open) this.#openBreakers.set(report.instanceId, report);
    else this.#openBreakers.delete(report.instanceId);
    this.#send({ type: 'breaker', ...report });
  }

  reportVerdict(report: VerdictReport): void {
    this.#send({ type: 'verdict', ...report });
  }

  reportWaiting(report: WaitingReport): void {
    if (report.waiting > 0) this.#waiting.set(report.service, report);
    else this.#waiting.delete(report.service);
    this.#send({ type: 'waiting', ...report });
  }

  /** What nobody hears is told again with the client's next request. */
  reportSessions(reports: readonly SessionReport[]): void {
    this.#send({ type: 'sessions', reports: [...reports] });
  }

  reportTraffic(report: TrafficReport): Promise<void> {
    return this.#traffic.add(report);
  }

  onPeerNews(listener: (news: PeerNews) => void): () => void {
    this.#news.add(listener);
    return () => this.#news.delete(listener);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#timer?.cancel();
    this.#send({ type: 'bye' });
    this.#channel?.finish();
    this.#wakes.giveUp();
  }

  #connect(): void {
    const socket = connect({ path: this.#options.path });
    const channel = new Channel<DownMessage>(socket, {
      parse: parseDown,
      maxMessageBytes: MAX_DOWN_BYTES,
      onMessage: (message) => this.#heard(message),
      onEnd: (fault) => this.#lost(fault),
    });
    this.#channel = channel;
    this.#timer = this.#options.clock.after(SNAPSHOT_WITHIN_MS, () => channel.end('it told nothing of the fleet'));
    channel.send({ type: 'hello', protocol: PROTOCOL, pid: process.pid } satisfies UpMessage);
  }

  #heard(message: DownMessage): void {
    switch (message.type) {
      case 'refused':
        throw new Error(message.reason);
      case 'facts':
        this.#options.onFacts({ notice: message.notice, gateway: message.gateway });
        break;
      case 'update':
        this.#apply(message.update);
        break;
      case 'woken':
        this.#wakes.woken(message.id, message.timings);
        break;
      case 'failed':
        this.#wakes.failed(message.id, message.failure);
        break;
      case 'checked':
        this.#suspicions.settle(message.id);
        break;
      case 'counted':
        this.#traffic.counted(message.id);
        break;
      default: {
        const { type: kind, ...rest } = message;
        for (const listener of this.#news) listener({ kind, ...rest } as PeerNews);
      }
    }
  }

  #apply(update: FleetUpdate): void {
    if (!this.#synced && !update.complete) throw new Error('it began to tell of the fleet in the middle');
    const applied = this.#snapshot.apply(update);
    const joining = !this.#synced;
    this.#synced = true;
    for (const listener of this.#updates) listener(applied);
    // Nobody listens yet: then nothing can be in flight either.
    if (this.#updates.size === 0) this.reportSeen(update.version);
    if (joining) this.#joined();
  }

  /** Tells a control process that is new to us what the one before knew. */
  #joined(): void {
    this.#timer?.cancel();
    this.#backoff.reset();
    this.#complaint = undefined;
    if (this.#port !== undefined) this.#send({ type: 'listening', port: this.#port });
    for (const report of this.#openBreakers.values()) this.#send({ type: 'breaker', ...report });
    for (const report of this.#waiting.values()) this.#send({ type: 'waiting', ...report });
    this.#wakes.back();
    this.#traffic.back();
    this.#options.log.info('joined the control process');
    this.#first.resolve(undefined);
    for (const resume of this.#onBack) resume();
    this.#onBack.clear();
  }

  #lost(fault: string | undefined): void {
    const wasSynced = this.#synced;
    this.#channel = undefined;
    this.#synced = false;
    this.#timer?.cancel();
    this.#wakes.away();
    this.#suspicions.settleAll();
    if (this.#closed) return;
    this.#complain(fault, wasSynced);
    this.#timer = this.#options.clock.after(this.#backoff.fail(), () => this.#connect());
  }

  /** Once, not with every try; again only when somebody is there and something else is wrong. */
  #complain(fault: string | undefined, wasSynced: boolean): void {
    const { log, path } = this.#options;
    const complaint = fault === undefined ? 'nobody is there' : `it cannot be used: ${fault}`;
    if (complaint === this.#complaint) return;
    this.#complaint = complaint;
    if (wasSynced) log.warn(`the control process is away (${complaint}): what is awake is served, wakes wait`);
    else log.warn(`waiting for a control process at ${path}: ${complaint}`);
  }

  /** What is said to nobody is said again once somebody is there, as far as it matters then. */
  #send(message: UpMessage): void {
    if (this.#synced) this.#channel?.send(message);
  }
}
