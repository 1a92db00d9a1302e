import type { BytePeer } from '../../support/wire/byte-peer.ts';
import { Http1Reader, valuesOf, type Http1Message } from '../../conformance/rig/http1-reader.ts';
import { HANG_MS } from '../patience.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';

/** Reads the answers to some requests from a connection that may have carried others before. */
export class AnswerReader {
  readonly #peer: BytePeer;
  readonly #wanted: number;
  readonly #reader: Http1Reader;
  readonly #before: number;
  readonly #onData = (chunk: Buffer): void => {
    this.#reader.push(chunk.toString('latin1'));
    this.#peer.changes.notify();
  };
  readonly #onEnd = (): void => this.#reader.end();

  constructor(peer: BytePeer, plans: readonly ExchangePlan[]) {
    this.#peer = peer;
    this.#wanted = plans.length;
    this.#before = peer.received.length;
    this.#reader = new Http1Reader({
      kind: 'response',
      bodyless: (startLine) => {
        const isFinal = !startLine.startsWith('HTTP/1.1 1');
        return isFinal && plans[this.#reader.final.length]?.request.method === 'HEAD';
      },
    });
    peer.socket.on('data', this.#onData);
    peer.socket.on('end', this.#onEnd);
  }

  /** How many bytes have come. */
  get bytes(): number {
    return this.#peer.received.length - this.#before;
  }

  get messages(): readonly Http1Message[] {
    return this.#reader.messages;
  }

  get fault(): string | undefined {
    return this.#reader.fault;
  }

  /** All that was asked for is there. */
  get complete(): boolean {
    return this.#reader.final.filter(({ complete }) => complete).length >= this.#wanted;
  }

  /** Another request may be sent on the same connection. */
  get leaveConnectionUsable(): boolean {
    const closes = this.#reader.final.some((one) => valuesOf(one, 'connection').join().toLowerCase().includes('close'));
    return !this.#peer.gone && this.complete && this.#reader.atBorder && !closes;
  }

  /** Waits for the end of the answers, of the connection, or of what can be understood. @returns false when nothing moves */
  async untilOver(orWhen: () => boolean = () => false): Promise<boolean> {
    const over = (): boolean => this.#peer.gone || this.fault !== undefined || this.complete || orWhen();
    for (let before = -1; before !== this.bytes;) {
      before = this.bytes;
      if (await this.#peer.changes.until(over, HANG_MS)) return true;
    }
    return false;
  }

  /** Each final response with the interim ones before it, in the order of the requests. */
  groups(): Http1Message[][] {
    const finals = new Set(this.#reader.final);
    const groups: Http1Message[][] = [[]];
    for (const message of this.#reader.messages) {
      groups.at(-1)?.push(message);
      if (finals.has(message)) groups.push([]);
    }
    return groups;
  }

  stop(): void {
    this.#peer.socket.off('data', this.#onData);
    this.#peer.socket.off('end', this.#onEnd);
  }
}
