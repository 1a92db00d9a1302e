import { constants, performServerHandshake, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { guardSession } from './http2-guard.ts';
import { checkHttp2 } from './http2-request-rules.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { peerAddress, serverNameOf } from './peer.ts';
import { refusalBody, refusalHeaders, type Refusal } from './refusal.ts';
import type { RequestIds } from './request-ids.ts';
import type { AcceptedRequest, RefusedRequest } from './request-rules.ts';
import { endUnreadStreams } from './unread-streams.ts';
import { UploadWindow } from './upload-window.ts';

/** What a client may send on one stream, and on all together, before somebody has read it. */
const STREAM_WINDOW_BYTES = 256 * 1024;
const SESSION_WINDOW_BYTES = 1792 * 1024;

/** A stream whose request passed the rules. */
export interface Http2Request {
  readonly stream: ServerHttp2Stream;
  /** Pseudo fields included. */
  readonly rawHeaders: readonly string[];
  /** True when the request ended with its head. */
  readonly endStream: boolean;
  readonly accepted: AcceptedRequest;
  readonly requestId: string;
  readonly remoteAddress: string;
  readonly serverName: string | undefined;
}

export interface Http2FrontOptions {
  readonly limits: ListenerLimits;
  readonly requestIds: RequestIds;
  onRequest(request: Http2Request): void;
  onRefused(refusal: Refusal): void;
}

interface Peer {
  readonly remoteAddress: string;
  readonly serverName: string | undefined;
}

/** Speaks HTTP/2 on TLS connections that agreed on it, and hands on the streams that pass the rules. */
export class Http2Front {
  readonly #options: Http2FrontOptions;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(options: Http2FrontOptions) {
    this.#options = options;
  }

  get sessions(): number {
    return this.#sessions.size;
  }

  accept(socket: TLSSocket): void {
    const peer: Peer = { remoteAddress: peerAddress(socket), serverName: serverNameOf(socket) };
    const session: ServerHttp2Session = performServerHandshake(socket, this.#sessionOptions());
    this.#sessions.add(session);
    // A session that fails destroys its socket; there is nothing else to do about it.
    session.on('error', () => undefined);
    session.on('frameError', () => undefined);
    session.once('close', () => this.#sessions.delete(session));
    const uploads = new UploadWindow(session, SESSION_WINDOW_BYTES, STREAM_WINDOW_BYTES);
    session.on('stream', (stream: ServerHttp2Stream, _headers: unknown, flags: number, rawHeaders: string[]) => {
      if ((flags & constants.NGHTTP2_FLAG_END_STREAM) === 0) uploads.watch(stream);
      this.#onStream(stream, flags, rawHeaders, peer);
    });
    this.#watchTimes(session);
    guardSession(session, this.#options.limits);
    endUnreadStreams(session, socket, this.#options.limits.stallTimeoutMs);
  }

  /** GOAWAY to everybody: streams that run may finish, new ones go elsewhere; idle sessions end. */
  drain(): void {
    for (const session of this.#sessions) session.close();
  }

  #sessionOptions(): Parameters<typeof performServerHandshake>[1] {
    const { limits } = this.#options;
    return {
      maxSessionMemory: 10,
      // Above the limit of the rules, so that a request with too many fields gets a 431 and not a mere reset.
      maxHeaderListPairs: 2 * limits.maxHeaderFields,
      maxOutstandingPings: 10,
      maxSettings: 32,
      maxSessionInvalidFrames: 100,
      maxSessionRejectedStreams: 100,
      paddingStrategy: constants.PADDING_STRATEGY_NONE,
      settings: {
        maxConcurrentStreams: limits.maxConcurrentStreams,
        maxHeaderListSize: 2 * limits.maxHeaderBytes,
        initialWindowSize: STREAM_WINDOW_BYTES,
        enablePush: false,
      },
    };
  }

  #onStream(stream: ServerHttp2Stream, flags: number, all: readonly string[], peer: Peer): void {
    stream.on('error', () => undefined);
    const requestId = this.#options.requestIds.for(peer.remoteAddress, all);
    const verdict = checkHttp2(all, this.#options.limits);
    if (!verdict.ok) {
      this.#refuse(stream, verdict, requestId, peer);
      return;
    }
    const endStream = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    const { remoteAddress, serverName } = peer;
    const request = { stream, rawHeaders: all, endStream, accepted: verdict, requestId, remoteAddress, serverName };
    this.#options.onRequest(request);
  }

  #refuse(stream: ServerHttp2Stream, refused: RefusedRequest, requestId: string, peer: Peer): void {
    const { status, code, detail } = refused;
    const body = refusalBody(refused, requestId);
    const headers: Record<string, string | number> = { ':status': status };
    const fields = refusalHeaders(body, requestId);
    for (let at = 0; at + 1 < fields.length; at += 2) headers[fields[at] ?? ''] = fields[at + 1] ?? '';
    if (!stream.destroyed) {
      stream.respond(headers);
      // RFC 9113 8.1: content that is not wanted is stopped with NO_ERROR once the answer is complete.
      stream.end(Buffer.from(body), () => stream.close(constants.NGHTTP2_NO_ERROR));
    }
    this.#options.onRefused({ requestId, status, code, detail, remoteAddress: peer.remoteAddress });
  }

  /** node:http2 has no times of its own: not for the client's preface, not for a session that nobody uses. */
  #watchTimes(session: ServerHttp2Session): void {
    const { headersTimeoutMs, sessionIdleTimeoutMs } = this.#options.limits;
    let streams = 0;
    const greeting = setTimeout(() => session.destroy(undefined, constants.NGHTTP2_NO_ERROR), headersTimeoutMs);
    greeting.unref();
    session.once('remoteSettings', () => clearTimeout(greeting));
    session.once('close', () => clearTimeout(greeting));
    let idle: NodeJS.Timeout | undefined;
    const watchIdle = (): void => {
      idle = setTimeout(() => this.#endIdle(session), sessionIdleTimeoutMs);
      idle.unref();
    };
    watchIdle();
    session.on('stream', (stream: ServerHttp2Stream) => {
      streams += 1;
      clearTimeout(idle);
      stream.once('close', () => {
        streams -= 1;
        if (streams === 0 && !session.destroyed) watchIdle();
      });
    });
    session.once('close', () => clearTimeout(idle));
  }

  /** Announces the end, so that a request on its way is not lost without a word; a client that stays is cut off. */
  #endIdle(session: ServerHttp2Session): void {
    session.close();
    const cut = setTimeout(() => session.destroy(), 1_000);
    cut.unref();
    session.once('close', () => clearTimeout(cut));
  }
}
