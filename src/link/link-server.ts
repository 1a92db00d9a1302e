import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../lib/clock.ts';
import { listenOnSocket } from '../lib/listen-on-socket.ts';
import type { Logger } from '../lib/logger.ts';
import type { ControlConnection } from '../seam/control-link.ts';
import { CountedTraffic } from './counted-traffic.ts';
import { LinkPeer, type Departure } from './link-peer.ts';
import type { ControlFacts } from './messages.ts';

export interface LinkServerOptions {
  /** Of the Unix socket: its owner's alone. */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** The fleet, once for each data half. */
  readonly connect: () => ControlConnection;
  readonly facts: () => ControlFacts;
}

/** Twice as many workers as there may be: while they are reloaded, the old and the new are there. */
const MAX_PEERS = 2_000;
/**
 * A data half that is alive is back within this time, whichever side lost the connection. Until then nothing is stopped
 * that it may be using.
 */
const BACK_WITHIN_MS = 3_000;

/** Where the data halves find the control half when they are processes of their own. */
export class LinkServer {
  readonly #options: LinkServerOptions;
  readonly #server: Server;
  readonly #peers = new Set<LinkPeer>();
  readonly #counted = new CountedTraffic();
  readonly #awaited = new Map<ControlConnection, Timer>();
  #port: number | undefined;
  #closed = false;

  constructor(options: LinkServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** How many data halves are there. */
  get connected(): number {
    return [...this.#peers].filter(({ pid }) => pid !== undefined).length;
  }

  /** The port that the data halves said they listen on. */
  get httpsPort(): number | undefined {
    return this.#port;
  }

  /** @throws CodedError as lib/listen-on-socket.ts says */
  async start(): Promise<void> {
    await listenOnSocket(this.#server, this.#options.path);
    this.#server.on('error', (error) => this.#options.log.error({ err: error }, 'the socket of the link failed'));
    // Data halves of an earlier life may still serve from what runs.
    this.#awaitReturn();
  }

  /** Says once more what everyone should know, after it changed. */
  tellFacts(): void {
    for (const peer of this.#peers) peer.tellFacts();
  }

  /** Hangs up: the data halves go on with what they know and come back by themselves. */
  async close(): Promise<void> {
    this.#closed = true;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const peer of [...this.#peers]) peer.end();
    for (const [connection, timer] of this.#awaited) {
      timer.cancel();
      connection.close();
    }
    await closed;
  }

  #accept(socket: Socket): void {
    if (this.#peers.size >= MAX_PEERS) {
      socket.destroy();
      return;
    }
    const { clock, connect, facts, log } = this.#options;
    const peer: LinkPeer = new LinkPeer(socket, {
      ...{ clock, connect, facts, counted: this.#counted },
      onJoined: () => log.debug({ pid: peer.pid }, 'a proxy process has joined'),
      onListening: (port) => (this.#port = port),
      onGone: (departure) => this.#gone(peer, departure),
    });
    this.#peers.add(peer);
  }

  #gone(peer: LinkPeer, { announced, fault }: Departure): void {
    const { pid } = peer;
    this.#peers.delete(peer);
    if (this.#closed) return;
    if (fault !== undefined) this.#options.log.warn({ pid }, `hung up on a proxy process: ${fault}`);
    if (pid === undefined || announced) return;
    if (fault === undefined) this.#options.log.warn({ pid }, 'a proxy process is gone without a word');
    this.#awaitReturn();
  }

  /** Stands in for a data half that may still be alive: it has let go of nothing. */
  #awaitReturn(): void {
    const connection = this.#options.connect();
    const timer = this.#options.clock.after(BACK_WITHIN_MS, () => {
      this.#awaited.delete(connection);
      connection.close();
    });
    this.#awaited.set(connection, timer);
  }
}
