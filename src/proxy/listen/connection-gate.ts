import type { Socket } from 'node:net';
import { isIPv6 } from 'node:net';
import { destroyOnError } from './destroy-on-error.ts';

export interface ConnectionGateOptions {
  readonly maxConnections: number;
  readonly maxConnectionsPerAddress: number;
  /** A proxy in front of us speaks for many clients: its address has no limit of its own. */
  readonly trusted: (remoteAddress: string) => boolean;
}

/** Counts the connections of every client and turns away those above the limit. */
export class ConnectionGate {
  readonly #options: ConnectionGateOptions;
  /** With whose each is. */
  readonly #sockets = new Map<Socket, string>();
  readonly #perAddress = new Map<string, number>();
  readonly #emptyListeners: (() => void)[] = [];
  /** One for all sockets: a function of its own would stay with each as long as it is open. */
  readonly #onClose: (this: Socket) => void;
  #turnedAway = 0;

  constructor(options: ConnectionGateOptions) {
    this.#options = options;
    const release = (socket: Socket): void => this.#release(socket);
    this.#onClose = function () {
      release(this);
    };
  }

  get open(): number {
    return this.#sockets.size;
  }

  get turnedAway(): number {
    return this.#turnedAway;
  }

  /** Takes the connection in, or destroys it and returns false. */
  admit(socket: Socket): boolean {
    // Whoever takes the socket over adds listeners of its own; until then an error must not end the process.
    destroyOnError(socket);
    const address = socket.remoteAddress;
    // The peer may have gone before we came to look.
    if (address === undefined) {
      socket.destroy();
      return false;
    }
    const key = clientKey(address);
    const count = this.#perAddress.get(key) ?? 0;
    if (this.#isFull(address, count)) {
      this.#turnedAway += 1;
      socket.destroy();
      return false;
    }
    this.#perAddress.set(key, count + 1);
    this.#sockets.set(socket, key);
    socket.on('close', this.#onClose);
    return true;
  }

  /** Resolves once no connection is left. */
  whenEmpty(): Promise<void> {
    return new Promise((resolve) => {
      if (this.#sockets.size === 0) resolve();
      else this.#emptyListeners.push(resolve);
    });
  }

  destroyAll(): void {
    for (const socket of this.#sockets.keys()) socket.destroy();
  }

  #isFull(address: string, count: number): boolean {
    if (this.#sockets.size >= this.#options.maxConnections) return true;
    return count >= this.#options.maxConnectionsPerAddress && !this.#options.trusted(address);
  }

  #release(socket: Socket): void {
    const key = this.#sockets.get(socket);
    if (key === undefined) return;
    this.#sockets.delete(socket);
    const count = (this.#perAddress.get(key) ?? 1) - 1;
    if (count === 0) this.#perAddress.delete(key);
    else this.#perAddress.set(key, count);
    if (this.#sockets.size > 0) return;
    for (const listener of this.#emptyListeners.splice(0)) listener();
  }
}

/** Whoever has one IPv6 address has the 2^64 of its network: they count as one client. */
function clientKey(address: string): string {
  if (!isIPv6(address)) return address;
  const mapped = /^::ffff:([0-9.]+)$/i.exec(address);
  if (mapped?.[1] !== undefined) return mapped[1];
  const [left = '', right = ''] = address.split('::');
  const head = left === '' ? [] : left.split(':');
  const tail = right === '' ? [] : right.split(':');
  const gap = address.includes('::') ? Array<string>(Math.max(0, 8 - head.length - tail.length)).fill('0') : [];
  return [...head, ...gap, ...tail].slice(0, 4).join(':');
}
