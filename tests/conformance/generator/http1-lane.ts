import { once } from 'node:events';
import { connect, type ConnectionOptions } from 'node:tls';
import { BytePeer } from '../rig/byte-peer.ts';
import { Http1Reader, statusOf, valuesOf } from '../rig/http1-reader.ts';
import { nothingSeen, type ClientSaw } from './client-saw.ts';
import type { ExchangePlan } from './exchange-plan.ts';
import { HANG_MS } from './plan-upstream.ts';
import { requestBytes, split } from './wire.ts';

/** A client that runs one exchange after another over HTTP/1.1, on one connection as long as it lasts. */
export class Http1Lane {
  readonly #tls: ConnectionOptions;
  #peer: BytePeer | undefined;

  constructor(tls: ConnectionOptions) {
    this.#tls = tls;
  }

  async run(plan: ExchangePlan): Promise<ClientSaw> {
    const peer = await this.#connected();
    const saw = nothingSeen();
    const reader = new Http1Reader({
      kind: 'response',
      bodyless: (startLine) => plan.request.method === 'HEAD' && !startLine.startsWith('HTTP/1.1 1'),
    });
    const onData = (chunk: Buffer): void => {
      reader.push(chunk.toString('latin1'));
      peer.changes.notify();
    };
    const onEnd = (): void => reader.end();
    peer.socket.on('data', onData);
    peer.socket.on('end', onEnd);
    const sentAll = await this.#send(plan, peer, reader, saw);
    if (!saw.left) await this.#receive(plan, peer, reader, saw);
    peer.socket.off('data', onData);
    peer.socket.off('end', onEnd);
    note(reader, saw);
    const mayGoOn = sentAll && saw.complete && reader.atBorder && !closes(reader);
    if (!mayGoOn) this.close();
    return saw;
  }

  close(): void {
    this.#peer?.destroy();
    this.#peer = undefined;
  }

  async #connected(): Promise<BytePeer> {
    if (this.#peer !== undefined && !this.#peer.gone) return this.#peer;
    const socket = connect({ ...this.#tls, ALPNProtocols: ['http/1.1'] });
    this.#peer = new BytePeer(socket);
    await once(socket, 'secureConnect');
    return this.#peer;
  }

  /** @returns whether all of the request went out */
  async #send(plan: ExchangePlan, peer: BytePeer, reader: Http1Reader, saw: ClientSaw): Promise<boolean> {
    const { head, content } = requestBytes(plan);
    const { request, clientBreak, pieces, index } = plan;
    const sent = beginning(head + content, clientBreak);
    const waits = request.expectsContinue && index % 3 === 0 && sent.length > head.length;
    const texts = waits ? [head, ...split(sent.slice(head.length), pieces, index)] : split(sent, pieces, index);
    for (const [at, text] of texts.entries()) {
      if (peer.gone || reader.final.some(({ complete }) => complete)) return false;
      if (text !== '' && !peer.socket.write(text, 'latin1')) await drained(peer);
      if (waits && at === 0)
        await peer.changes.until(() => peer.gone || reader.messages.some(isContinueOrFinal), HANG_MS);
      else if (pieces > 1) await new Promise((resolve) => setImmediate(resolve));
    }
    if (clientBreak?.during !== 'request') return true;
    saw.left = true;
    return false;
  }

  async #receive({ clientBreak }: ExchangePlan, peer: BytePeer, reader: Http1Reader, saw: ClientSaw): Promise<void> {
    const leavesAt = clientBreak?.during === 'response' ? Math.floor(clientBreak.at * 2_000) : undefined;
    const before = peer.received.length;
    const over = (): boolean =>
      peer.gone || reader.fault !== undefined || reader.final.some(({ complete }) => complete) || leaves();
    const leaves = (): boolean => leavesAt !== undefined && peer.received.length - before >= leavesAt;
    const ended = await peer.changes.until(over, HANG_MS);
    saw.hangs = !ended;
    saw.left = leaves() && !reader.final.some(({ complete }) => complete);
  }
}

/** What goes out before the client leaves. */
function beginning(whole: string, clientBreak: ExchangePlan['clientBreak']): string {
  return clientBreak?.during === 'request' ? whole.slice(0, Math.floor(clientBreak.at * whole.length)) : whole;
}

function isContinueOrFinal({ startLine }: { startLine: string }): boolean {
  return !/^HTTP\/1\.1 10[23]/.test(startLine);
}

function closes(reader: Http1Reader): boolean {
  return reader.final.some((message) => valuesOf(message, 'connection').join().toLowerCase().includes('close'));
}

function note(reader: Http1Reader, saw: ClientSaw): void {
  saw.fault = reader.fault;
  const [final, ...more] = reader.final;
  for (const message of reader.messages) if (message !== final) saw.interim.push(statusOf(message));
  if (more.length > 0) saw.fault = 'more than one answer';
  if (final === undefined) return;
  saw.status = statusOf(final);
  saw.fields = final.fields;
  saw.content = final.content;
  saw.trailers = final.trailers;
  saw.complete = final.complete;
}

function drained({ socket }: BytePeer): Promise<void> {
  return new Promise((resolve) => {
    if (socket.destroyed) resolve();
    socket.once('drain', resolve);
    socket.once('close', () => resolve());
  });
}
