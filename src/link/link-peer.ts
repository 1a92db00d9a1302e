import type { Socket } from 'node:net';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { ControlConnection } from '../seam/control-link.ts';
import type { Failure } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import { Channel } from './channel.ts';
import type { CountedTraffic } from './counted-traffic.ts';
import { parseUp, PROTOCOL, type ControlFacts, type DownMessage, type UpMessage } from './messages.ts';

/** Why a peer is gone. */
export interface Departure {
  /** It said that it ends; otherwise it may be back in a moment. */
  readonly announced: boolean;
  readonly fault: string | undefined;
}

export interface LinkPeerOptions {
  readonly clock: Clock;
  readonly connect: () => ControlConnection;
  readonly facts: () => ControlFacts;
  /** Shared by all peers: what was told over a connection that broke is told again over the next. */
  readonly counted: CountedTraffic;
  readonly onJoined: () => void;
  readonly onListening: (port: number) => void;
  readonly onGone: (departure: Departure) => void;
}

/** Whoever connects and does not say who it is by then is sent away. */
const HELLO_MS = 5_000;
/** Nothing that a data half says is longer: its reports name at most all instances. */
const MAX_UP_BYTES = 8 * 1024 * 1024;
/** Pools ask once each; more than this is no data half of ours. */
const MAX_PENDING = 20_000;

/** One data half, as the control half sees it. Believes nothing before the greeting, and ends with the first thing that cannot be. */
export class LinkPeer {
  readonly #options: LinkPeerOptions;
  readonly #channel: Channel<UpMessage>;
  readonly #greeting: Timer;
  #connection: ControlConnection | undefined;
  #unsubscribe: (() => void) | undefined;
  #pid: number | undefined;
  #pending = 0;
  /** Updates were left out because it does not read fast enough: it gets them all as one. */
  #skipped = false;
  #announced = false;

  constructor(socket: Socket, options: LinkPeerOptions) {
    this.#options = options;
    this.#channel = new Channel<UpMessage>(socket, {
      parse: parseUp,
      maxMessageBytes: MAX_UP_BYTES,
      onMessage: (message) => this.#heard(message),
      onEnd: (fault) => this.#gone(fault),
      onDrain: () => this.#catchUp(),
    });
    this.#greeting = options.clock.after(HELLO_MS, () => this.#channel.end('it did not say who it is'));
  }

  /** The process id that it gave; undefined before the greeting. */
  get pid(): number | undefined {
    return this.#pid;
  }

  tellFacts(): void {
    if (this.#connection) this.#send({ type: 'facts', ...this.#options.facts() });
  }

  end(): void {
    this.#channel.end();
  }

  #heard(message: UpMessage): void {
    if (message.type === 'hello') {
      this.#greeted(message.protocol, message.pid);
      return;
    }
    const connection = this.#connection;
    if (!connection) throw new Error('it did not say who it is');
    this.#serve(connection, message);
  }

  #greeted(protocol: number, pid: number): void {
    if (this.#connection) throw new Error('it said twice who it is');
    if (protocol !== PROTOCOL) {
      const reason = `it speaks version ${protocol} of the link, the control process version ${PROTOCOL}`;
      this.#send({ type: 'refused', reason });
      this.#channel.finish();
      return;
    }
    this.#greeting.cancel();
    this.#pid = pid;
    this.#connection = this.#options.connect();
    this.tellFacts();
    this.#subscribe(this.#connection);
    this.#connection.onPeerNews((news) => {
      const { kind: type, ...rest } = news;
      this.#send({ type, ...rest } as DownMessage);
    });
    this.#options.onJoined();
  }

  #serve(connection: ControlConnection, message: Exclude<UpMessage, { type: 'hello' }>): void {
    switch (message.type) {
      case 'listening':
        this.#options.onListening(message.port);
        break;
      case 'wake':
        this.#answer(this.#wake(connection, message.id, message.service));
        break;
      case 'suspect':
        this.#answer(this.#suspect(connection, message.id, message.service, message.instanceId));
        break;
      case 'activity':
        connection.reportActivity(message.reports);
        break;
      case 'seen':
        connection.reportSeen(message.version);
        break;
      case 'breaker':
        connection.reportBreaker(message);
        break;
      case 'verdict':
        connection.reportVerdict(message);
        break;
      case 'waiting':
        connection.reportWaiting(message);
        break;
      case 'sessions':
        connection.reportSessions(message.reports);
        break;
      case 'traffic':
        if (this.#options.counted.isNew(message.source, message.id)) void connection.reportTraffic(message.report);
        this.#send({ type: 'counted', id: message.id });
        break;
      case 'bye':
        this.#announced = true;
    }
  }

  /** @param answer never rejects */
  #answer(answer: Promise<DownMessage>): void {
    this.#pending += 1;
    void answer.then((message) => {
      this.#pending -= 1;
      this.#send(message);
    });
    if (this.#pending > MAX_PENDING) throw new Error('it asks for too much at once');
  }

  async #wake(connection: ControlConnection, id: number, service: string): Promise<DownMessage> {
    try {
      return { type: 'woken', id, timings: await connection.wake(service) };
    } catch (error) {
      return { type: 'failed', id, failure: this.#failureOf(error) };
    }
  }

  async #suspect(connection: ControlConnection, id: number, service: string, instanceId: string): Promise<DownMessage> {
    await connection.suspect(service, instanceId).catch(() => undefined);
    return { type: 'checked', id };
  }

  #failureOf(error: unknown): Failure {
    if (error instanceof WakeFailed) return error.failure;
    const atEpochMs = this.#options.clock.epochMs();
    return { code: 'internal', detail: messageOf(error), logTail: [], atEpochMs };
  }

  #subscribe(connection: ControlConnection): void {
    this.#unsubscribe = connection.subscribe((update) => {
      // Everything at once is what catches up; it must go out although the pipe is full.
      if (this.#channel.behind && !update.complete) this.#skipped = true;
      else this.#send({ type: 'update', update });
    });
  }

  #catchUp(): void {
    if (!this.#skipped || !this.#connection) return;
    this.#skipped = false;
    this.#unsubscribe?.();
    this.#subscribe(this.#connection);
  }

  #send(message: DownMessage): void {
    this.#channel.send(message);
  }

  #gone(fault: string | undefined): void {
    this.#greeting.cancel();
    this.#connection?.close();
    this.#options.onGone({ announced: this.#announced, fault });
  }
}
