import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { destroyOnError } from './destroy-on-error.ts';
import { endIfEmpty } from './empty-request.ts';
import { Http1Connection } from './http1-connection.ts';
import { refusalOf, type Http1ParseError } from './http1-parse-error.ts';
import { lingerOnClose, passThroughStream } from './lingering-close.ts';
import type { ListenerLimits } from './listener-limits.ts';
import { refusalBody, refusalBytes, refusalHeaders, type Refusal } from './refusal.ts';
import type { RequestIds } from './request-ids.ts';
import { checkHttp1, refuse, type AcceptedRequest, type RefusedRequest } from './request-rules.ts';
import { asksForWebSocket, putBackWithoutUpgrade } from '../exchange/upgrade-token.ts';

/** More requests than this at once on one connection is no browser and no known client. */
const MAX_PIPELINED = 32;

/** Of Node 24.12 and later: see empty-request.ts. Older ones take no notice. */
const NEWER_OPTIONS = { optimizeEmptyRequests: true };

/** A request that passed the rules. */
export interface Http1Request {
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly accepted: AcceptedRequest;
  readonly requestId: string;
  readonly remoteAddress: string;
  /** The client waits for `100 Continue` before it sends its content. */
  readonly expectsContinue: boolean;
}

/** A request for another protocol on the same connection, which belongs to whoever takes it. */
export interface Http1Upgrade {
  /** Its `socket` is the one to take. */
  readonly request: IncomingMessage;
  /** What the client has already sent in the new protocol. */
  readonly head: Buffer;
  readonly accepted: AcceptedRequest;
  readonly requestId: string;
  readonly remoteAddress: string;
}

export interface Http1FrontOptions {
  readonly limits: ListenerLimits;
  readonly requestIds: RequestIds;
  onRequest(request: Http1Request): void;
  /** Without it every Upgrade is ignored. */
  onUpgrade?(upgrade: Http1Upgrade): void;
  onRefused(refusal: Refusal): void;
}

/** Speaks HTTP/1 on connections that others accepted, and hands on the requests that pass the rules. */
export class Http1Front {
  readonly #options: Http1FrontOptions;
  readonly #server: Server;
  readonly #connections = new Map<Duplex, Http1Connection>();
  /** One for all connections: a function of its own would stay with each, a WebSocket too. */
  readonly #onClose: (this: Duplex) => void;
  readonly #onAnswered = (connection: Http1Connection): void => {
    if (!connection.finished && !this.#closingIdle) return;
    // An answer whose head had left before the close was decided could not announce it.
    if (!connection.busy && !connection.socket.destroyed) connection.socket.end();
  };
  #sweep: NodeJS.Timeout | undefined;
  #draining = false;
  #closingIdle = false;

  constructor(options: Http1FrontOptions) {
    this.#options = options;
    const { limits } = options;
    const connections = this.#connections;
    this.#onClose = function () {
      connections.delete(this);
    };
    this.#server = createServer({
      connectionsCheckingInterval: limits.checkEveryMs,
      headersTimeout: limits.headersTimeoutMs,
      keepAliveTimeout: limits.keepAliveTimeoutMs,
      maxHeaderSize: limits.maxHeaderBytes,
      // How a body progresses is judged where it is forwarded; a long upload is no attack.
      requestTimeout: 0,
      // A missing Host is answered here, with a reason.
      requireHostHeader: false,
      insecureHTTPParser: false,
      ...NEWER_OPTIONS,
    });
    // Node cuts the list above its maximum without a word, which would hide fields from the rules. Bytes are bounded above.
    this.#server.maxHeadersCount = 0;
    this.#listen();
  }

  get connections(): number {
    return this.#connections.size;
  }

  /** Begins to watch the times of connections; `accept` may be called from then on. */
  start(): void {
    // The server itself never listens. This event is what starts its check of slow request heads.
    this.#server.emit('listening');
    this.#sweep = setInterval(() => this.#endStalled(), this.#options.limits.stallTimeoutMs);
    this.#sweep.unref();
  }

  accept(socket: Socket): void {
    const connection = new Http1Connection(socket, this.#onAnswered);
    this.#connections.set(socket, connection);
    // Every request of a pipeline listens for the close of their connection.
    socket.setMaxListeners(socket.getMaxListeners() + MAX_PIPELINED);
    socket.on('close', this.#onClose);
    this.#server.emit('connection', socket);
  }

  /** From now on every answer ends its connection. */
  announceClose(): void {
    this.#draining = true;
    for (const connection of this.#connections.values()) connection.announceClose();
  }

  /** Closes what is idle now, and whatever becomes idle later. */
  closeIdle(): void {
    this.#draining = true;
    this.#closingIdle = true;
    for (const connection of this.#connections.values()) if (!connection.busy) connection.socket.destroy();
  }

  /** Lets go of the timers; connections are their owner's to end. */
  close(): void {
    clearInterval(this.#sweep);
    this.#server.close();
  }

  /** A client that leaves its answer unread has between one and two spans of `stallTimeoutMs`. */
  #endStalled(): void {
    for (const connection of this.#connections.values()) if (connection.stalls()) connection.socket.destroy();
  }

  #listen(): void {
    const server = this.#server;
    server.on('request', (request, response) => this.#onRequest(request, response, false));
    server.on('checkContinue', (request, response) => this.#onRequest(request, response, true));
    server.on('checkExpectation', (request, response) => this.#onUnknownExpectation(request, response));
    server.on('connect', (request, socket) => this.#onConnect(request, socket));
    server.on('clientError', (error: Http1ParseError, socket) => this.#onClientError(error, socket));
    if (this.#options.onUpgrade === undefined) return;
    server.on('upgrade', (request, socket, head) => this.#onUpgrade(request, socket, head));
  }

  #onRequest(request: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    const connection = this.#begin(request, response);
    if (connection === undefined) return;
    endIfEmpty(request);
    const { remoteAddress } = connection;
    const requestId = this.#options.requestIds.for(remoteAddress, request.rawHeaders);
    const verdict = checkHttp1(headOf(request), this.#options.limits, connection.authorities);
    if (!verdict.ok) {
      this.#refuse(connection, request, response, verdict, requestId);
      return;
    }
    this.#options.onRequest({ request, response, accepted: verdict, requestId, remoteAddress, expectsContinue });
  }

  /** RFC 9110 10.1.1: an expectation other than 100-continue cannot be met. */
  #onUnknownExpectation(request: IncomingMessage, response: ServerResponse): void {
    const connection = this.#begin(request, response);
    if (connection === undefined) return;
    const refused = refuse(417, 'expectation_failed', 'The only expectation understood is "100-continue".', true);
    this.#refuse(connection, request, response, refused, this.#options.requestIds.next());
  }

  /** Undefined when nothing more on this connection may be served: the parser may have read on within one packet. */
  #begin(request: IncomingMessage, response: ServerResponse): Http1Connection | undefined {
    const connection = this.#connections.get(request.socket);
    if (connection === undefined || connection.finished) return undefined;
    if (connection.owed === 1) passThroughStream(connection.socket);
    connection.owe(response);
    // RFC 9112 9.6: what comes behind the one that is answered with `close` is not served, or the client would ask again.
    if (this.#draining || connection.owed >= MAX_PIPELINED) connection.finish();
    return connection;
  }

  #refuse(
    connection: Http1Connection,
    request: IncomingMessage,
    response: ServerResponse,
    refused: RefusedRequest,
    requestId: string,
  ): void {
    // Content that nobody wants is not worth a connection.
    request.on('error', ignore);
    response.on('error', ignore);
    if (refused.close || hasContent(request)) {
      connection.finish();
      lingerOnClose(connection.socket);
    }
    const body = refusalBody(refused, requestId);
    response.writeHead(refused.status, [...refusalHeaders(body, requestId)]);
    response.end(request.method === 'HEAD' ? undefined : body);
    this.#report(refused, requestId, connection.remoteAddress, request);
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    // Node has taken its own listeners off the socket.
    destroyOnError(socket);
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.finished) return void socket.destroy();
    if (connection.owed > 0) {
      this.#endBehindAnswers(connection);
      return;
    }
    // HTTP/1.0 has no Upgrade (RFC 9110 7.8).
    if (request.httpVersion !== '1.1' || !asksForWebSocket(request.method ?? '', request.rawHeaders)) {
      putBackWithoutUpgrade(request, socket, head);
      this.#server.emit('connection', socket);
      return;
    }
    const { remoteAddress } = connection;
    const requestId = this.#options.requestIds.for(remoteAddress, request.rawHeaders);
    const verdict = checkHttp1(headOf(request), this.#options.limits, connection.authorities);
    if (!verdict.ok) {
      this.#refuseRaw(connection, verdict, requestId, request);
      return;
    }
    // It is no connection of ours any more: draining waits for the gate.
    this.#connections.delete(socket);
    this.#options.onUpgrade?.({ request, head, accepted: verdict, requestId, remoteAddress });
  }

  #onConnect(request: IncomingMessage, socket: Duplex): void {
    destroyOnError(socket);
    const connection = this.#connections.get(socket);
    if (connection === undefined || connection.finished) return void socket.destroy();
    if (connection.owed > 0) {
      this.#endBehindAnswers(connection);
      return;
    }
    const verdict = checkHttp1(headOf(request), this.#options.limits, connection.authorities);
    if (verdict.ok) return void socket.destroy();
    this.#refuseRaw(connection, verdict, this.#options.requestIds.next(), request);
  }

  /** Node has left the connection to us in the middle of a pipeline: an answer still owed must not meet another protocol. */
  #endBehindAnswers(connection: Http1Connection): void {
    connection.finish();
    connection.socket.resume();
  }

  #onClientError(error: Http1ParseError, socket: Duplex): void {
    const connection = this.#connections.get(socket);
    if (connection === undefined) return void socket.destroy();
    // Each further packet fails again; the first failure decided.
    if (connection.finished) return;
    // The client has left in the middle of its content, of which its request is told by the close.
    if (error.code === 'HPE_INVALID_EOF_STATE' && connection.receiving) return void socket.destroy();
    if (connection.owed > 0 && !connection.receiving && error.code !== 'ECONNRESET') {
      // Earlier requests were sound: they get their answers, then the connection ends.
      connection.finish();
      return;
    }
    // A connection that a browser has opened ahead and never used: there is no request to answer, nor to log.
    const isUnused = error.code === 'ERR_HTTP_REQUEST_TIMEOUT' && connection.socket.bytesRead === 0;
    if (error.code === 'ECONNRESET' || connection.mayNotSpeak || isUnused) return void socket.destroy();
    this.#refuseRaw(connection, refusalOf(error), this.#options.requestIds.next());
  }

  #refuseRaw(connection: Http1Connection, refused: RefusedRequest, requestId: string, request?: IncomingMessage): void {
    connection.finish();
    connection.endWith(refusalBytes(refused, requestId));
    this.#report(refused, requestId, connection.remoteAddress, request);
  }

  #report(refused: RefusedRequest, requestId: string, remoteAddress: string, request?: IncomingMessage): void {
    const { status, code, detail } = refused;
    const method = request?.method;
    this.#options.onRefused({
      requestId,
      status,
      code,
      detail,
      remoteAddress,
      ...(method === undefined ? {} : { method }),
    });
  }
}

function headOf({ httpVersion, method = '', url = '', rawHeaders }: IncomingMessage) {
  return { httpVersion, method, url, rawHeaders };
}

export function hasContent({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || (headers['content-length'] ?? '0') !== '0';
}

function ignore(): void {
  // A broken exchange shows itself by its 'close'.
}
