import { PassThrough } from 'node:stream';
import { describe, expect, it, vi } from 'vitest';
import type { ClientExchange } from '../../../../src/proxy/exchange/client-exchange.ts';
import { RequestBodyPump } from '../../../../src/proxy/forward/request-body-pump.ts';
import { Ticker } from '../../../../src/proxy/forward/ticker.ts';
import type { UpstreamChannel } from '../../../../src/proxy/forward/upstream-channel.ts';
import { FakeClock } from '../../../support/fakes/fake-clock.ts';
import { until } from '../../../support/until.ts';

const LIMITS = { bodyTimeoutMs: 30_000, minBodyBytes: 1, maxBodyBytes: Infinity };

function pump(abandoned: () => boolean): { body: PassThrough; written: string[]; end: ReturnType<typeof vi.fn> } {
  const body = new PassThrough();
  const written: string[] = [];
  const end = vi.fn();
  const channel = { write: (chunk: Buffer) => written.push(chunk.toString()) > 0, end };
  const exchange = {
    body,
    trailers: () => [],
    get abandoned() {
      return abandoned();
    },
  };
  const owner = { onBodySent: vi.fn(), onBodyFailure: vi.fn() };
  const made = new RequestBodyPump(
    exchange as unknown as ClientExchange,
    channel as unknown as UpstreamChannel,
    undefined,
    LIMITS,
    owner,
    new Ticker(new FakeClock(), 100),
  );
  made.start();
  return { body, written, end };
}

describe('the content of a request', () => {
  it('is ended upstream when it ends', async () => {
    const { body, written, end } = pump(() => false);
    body.end('all');
    await until(() => end.mock.calls.length === 1);
    expect(written).toEqual(['all']);
  });

  // RFC 9113 8.1.1; node:http2 emits `end` for a stream that was reset as well.
  it('is not ended upstream when the client left in the middle of it, although its stream ends', async () => {
    const { body, written, end } = pump(() => true);
    body.end('a part');
    await until(() => body.readableEnded);
    expect(written).toEqual(['a part']);
    expect(end).not.toHaveBeenCalled();
  });
});
