import { readFile } from 'node:fs/promises';
import { request, type IncomingMessage } from 'node:http';
import { resolve } from 'node:path';
import { createParser, type EventSourceMessage } from 'eventsource-parser';
import { CodedError } from '../lib/coded-error.ts';
import type { ProblemAnswer } from '../management/contract.ts';
import { DaemonError } from './daemon-error.ts';

export interface DaemonClientOptions {
  readonly socketPath: string;
  /** The only host that the daemon answers there. */
  readonly adminHost: string;
  /** ADMIN_TOKEN, when it is set. */
  readonly token?: string;
  /** Where the daemon has written the one that it made. */
  readonly tokenFile: string;
}

export interface Call {
  readonly method?: 'GET' | 'POST';
  /** With its query. */
  readonly path: string;
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

const MAX_ANSWER_BYTES = 64 * 1024 * 1024;

/** Speaks with the daemon over its control socket: no DNS, no TLS, no proxy in between. */
export class DaemonClient {
  readonly #options: DaemonClientOptions;

  constructor(options: DaemonClientOptions) {
    this.#options = options;
  }

  get socketPath(): string {
    return resolve(this.#options.socketPath);
  }

  /** Whether any daemon accepts connections at the socket. */
  async isRunning(): Promise<boolean> {
    try {
      (await this.#send({ path: '/api/health' }, undefined)).destroy();
      return true;
    } catch (error) {
      if (error instanceof CodedError && error.code === 'daemon_not_running') return false;
      throw error;
    }
  }

  /** The JSON that it answers. @throws DaemonError when it says no, CodedError when it cannot be reached */
  async ask<T>(call: Call): Promise<T> {
    const response = await this.#open(call);
    return JSON.parse(await textOf(this.#chunksOf(response))) as T;
  }

  /** The messages of an event stream, each its JSON, until the daemon ends it or the signal aborts. */
  async *listen<T>(call: Call): AsyncGenerator<T> {
    const response = await this.#open(call);
    const messages: EventSourceMessage[] = [];
    const parser = createParser({ onEvent: (message) => messages.push(message) });
    for await (const chunk of this.#chunksOf(response)) {
      parser.feed(chunk);
      for (const { data } of messages.splice(0)) yield JSON.parse(data) as T;
    }
  }

  async #open(call: Call): Promise<IncomingMessage> {
    const response = await this.#send(call, await this.#token());
    const { statusCode = 0 } = response;
    if (statusCode >= 200 && statusCode < 300) return response;
    throw new DaemonError(problemFrom(statusCode, await textOf(this.#chunksOf(response))));
  }

  #send({ method = 'GET', path, body, signal }: Call, token: string | undefined): Promise<IncomingMessage> {
    const { socketPath, adminHost } = this.#options;
    const content = body === undefined ? undefined : JSON.stringify(body);
    const headers = {
      host: adminHost,
      accept: 'application/json, text/event-stream',
      ...(token !== undefined && { authorization: `Bearer ${token}` }),
      ...(content !== undefined && { 'content-type': 'application/json' }),
    };
    return new Promise((fulfil, reject) => {
      const sent = request({ socketPath, method, path, headers, ...(signal && { signal }) }, fulfil);
      sent.on('error', (error: NodeJS.ErrnoException) => reject(this.#explain(error)));
      sent.end(content);
    });
  }

  /** A connection that breaks off says nothing but "aborted" of itself. */
  async *#chunksOf(response: IncomingMessage): AsyncGenerator<string> {
    response.setEncoding('utf8');
    try {
      yield* response as AsyncIterable<string>;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ECONNRESET') throw error;
      const message = `The daemon at ${this.socketPath} broke off in the middle of its answer. It has probably ended; call this again when it is back.`;
      throw new CodedError('daemon_gone', message, { cause: error });
    }
  }

  async #token(): Promise<string> {
    const { token, tokenFile } = this.#options;
    if (token !== undefined) return token;
    try {
      return (await readFile(tokenFile, 'utf8')).trim();
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException;
      if (code === 'ENOENT') throw this.#notRunning(error);
      throw new CodedError('token_unreadable', `${tokenFile} cannot be read: ${message}`, { cause: error });
    }
  }

  #explain(error: NodeJS.ErrnoException): Error {
    if (error.code === 'ECONNREFUSED' || error.code === 'ENOENT') return this.#notRunning(error);
    if (error.code === 'EACCES' || error.code === 'EPERM') {
      const message = `You may not use ${this.socketPath}: the daemon runs as another user, and only that user may.`;
      return new CodedError('daemon_forbidden', message, { cause: error });
    }
    return error;
  }

  #notRunning(cause: unknown): CodedError {
    const message = [
      `No daemon answers at ${this.socketPath}. Is it running?`,
      'Start it with `npm run proxy-development` (or `proxy-production`), or call this from its folder; STATE_DIR says where its socket is.',
    ].join('\n');
    return new CodedError('daemon_not_running', message, { cause });
  }
}

async function textOf(chunks: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const chunk of chunks) {
    text += chunk;
    if (text.length > MAX_ANSWER_BYTES) throw new CodedError('answer_too_large', 'The daemon answers without an end.');
  }
  return text;
}

function problemFrom(status: number, text: string): ProblemAnswer {
  try {
    const problem = JSON.parse(text) as Partial<ProblemAnswer>;
    if (typeof problem.code === 'string' && typeof problem.detail === 'string') return problem as ProblemAnswer;
  } catch {
    // Whatever answers there, it is not our daemon; the status is all there is to tell.
  }
  const detail = `The daemon answered ${status}: ${text.slice(0, 200)}`;
  return { type: 'about:blank', title: 'Error', status, detail, code: 'unexpected_answer', requestId: '' };
}
