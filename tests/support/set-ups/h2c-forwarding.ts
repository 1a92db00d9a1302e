import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders, Settings } from 'node:http2';
import { afterEach } from 'vitest';
import type { FrontOptions } from './forwarding-front.ts';
import { ForwardingFront } from './forwarding-front.ts';
import type { H2cScript } from '../upstreams/h2c-upstream.ts';
import { H2cUpstream } from '../upstreams/h2c-upstream.ts';

export interface H2cForwarding {
  readonly upstream: H2cUpstream;
  readonly front: ForwardingFront;
}

/** Gives a function that sets up a front before a scripted HTTP/2 upstream; both are closed after the test. */
export function h2cSetUp(): (
  script: H2cScript,
  options?: FrontOptions & { readonly settings?: Settings },
) => Promise<H2cForwarding> {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const closable of open.splice(0)) await closable.close();
  });
  return async (script, { settings, ...options } = {}) => {
    const upstream = await new H2cUpstream(script, settings).start();
    const front = await new ForwardingFront(upstream.endpoint, { ...options, protocol: 'h2c' }).start();
    open.push(front, upstream);
    return { upstream, front };
  };
}

/** All that an HTTP/2 client sees of one answer. */
export interface SeenAnswer {
  readonly stream: ClientHttp2Stream;
  readonly interim: IncomingHttpHeaders[];
  head?: IncomingHttpHeaders;
  headEnded?: boolean;
  trailers?: IncomingHttpHeaders;
  body: string;
  ended: boolean;
  closed: boolean;
}

export function ask(front: ForwardingFront, fields: OutgoingHttpHeaders = {}, endStream = true): SeenAnswer {
  const stream = front.http2().request({ ':path': '/', ...fields }, { endStream });
  const seen: SeenAnswer = { stream, interim: [], body: '', ended: false, closed: false };
  stream.on('headers', (head: IncomingHttpHeaders) => seen.interim.push(head));
  stream.on('response', (head: IncomingHttpHeaders, flags: number) => {
    seen.head = head;
    seen.headEnded = (flags & 1) !== 0;
  });
  stream.on('trailers', (trailers: IncomingHttpHeaders) => (seen.trailers = trailers));
  stream.on('data', (chunk: Buffer) => (seen.body += chunk.toString('latin1')));
  stream.on('end', () => (seen.ended = true));
  stream.on('error', () => undefined);
  stream.on('close', () => (seen.closed = true));
  return seen;
}
