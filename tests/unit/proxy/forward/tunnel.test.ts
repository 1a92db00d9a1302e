import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { SystemClock } from '../../../../src/lib/clock.ts';
import type { Cancellable, ForwardContext } from '../../../../src/proxy/forward/forward-context.ts';
import { defaultForwardLimits } from '../../../../src/proxy/forward/forward-limits.ts';
import { LoopTurns } from '../../../../src/proxy/forward/loop-turns.ts';
import { Ticker } from '../../../../src/proxy/forward/ticker.ts';
import { Tunnel } from '../../../../src/proxy/forward/tunnel.ts';
import type { SwitchedChannel, UpstreamChannel } from '../../../../src/proxy/forward/upstream-channel.ts';
import { destroyOnError } from '../../../../src/proxy/listen/destroy-on-error.ts';
import { lingerOnClose } from '../../../../src/proxy/listen/lingering-close.ts';
import { until } from '../../../support/until.ts';
import { BytePeer } from '../../../support/wire/byte-peer.ts';
import { viaOf } from '../../../../src/proxy/forward/via.ts';

const NOTHING = Buffer.alloc(0);

/** A tunnel between a real client and an upstream of which the test says what it does. */
async function openTunnel({ early = NOTHING, takesAll = true } = {}) {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const accepted = once(server, 'connection') as Promise<[Socket]>;
  const client = await BytePeer.tcp((server.address() as AddressInfo).port, { allowHalfOpen: true });
  const [socket] = await accepted;
  onTestFinished(() => {
    client.destroy();
    socket.destroy();
    server.close();
  });
  destroyOnError(socket);
  lingerOnClose(socket);
  const written: string[] = [];
  const upstream = {
    ...{ bytesRead: 0, stuck: !takesAll, ended: false },
    write: vi.fn<SwitchedChannel['write']>((bytes) => written.push(Buffer.from(bytes).toString()) > 0 && takesAll),
    ...{ finish: vi.fn(), pauseReading: vi.fn(), resumeReading: vi.fn(), destroySoon: vi.fn(), destroy: vi.fn() },
  };
  const channel = { switchTo: () => upstream } as unknown as UpstreamChannel;
  const onSettled = vi.fn<(exchange: Cancellable) => void>();
  const context: ForwardContext = {
    ...{ ticker: new Ticker(new SystemClock(), 10), turns: new LoopTurns(), limits: defaultForwardLimits },
    ...{ via: viaOf('test'), trusted: () => false, onBegun: vi.fn(), onSettled },
  };
  const tunnel = new Tunnel(socket, channel, context);
  tunnel.start(early, NOTHING);
  return { tunnel, client, socket, upstream, written, onSettled };
}

describe('a tunnel', () => {
  it('reads no more of a client than its upstream takes', async () => {
    const { tunnel, client, socket, written } = await openTunnel({ early: Buffer.from('first'), takesAll: false });
    expect(socket.isPaused()).toBe(true);
    client.send('second');
    expect(written).toEqual(['first']);
    tunnel.onWritable();
    await until(() => written.length === 2);
    expect(written).toEqual(['first', 'second']);
    expect(socket.isPaused()).toBe(true);
  });

  it('reads no more of an upstream than its client takes', async () => {
    const { tunnel, client, upstream } = await openTunnel();
    client.socket.pause();
    tunnel.onBytes(Buffer.alloc(30_000_000));
    expect(upstream.pauseReading).toHaveBeenCalledOnce();
    expect(upstream.resumeReading).not.toHaveBeenCalled();
    client.socket.removeAllListeners('data').resume();
    await until(() => upstream.resumeReading.mock.calls.length > 0);
  });

  it('is over when both ends are closed, and says so whenever it is asked', async () => {
    const { tunnel, client, upstream, onSettled } = await openTunnel();
    const closed = vi.fn();
    tunnel.whenClosed(closed);
    client.socket.resetAndDestroy();
    await until(() => upstream.destroy.mock.calls.length > 0);
    expect(closed).not.toHaveBeenCalled();
    tunnel.onClosed();
    expect(closed).toHaveBeenCalledOnce();
    expect(onSettled).toHaveBeenCalledExactlyOnceWith(tunnel);
    const late = vi.fn();
    tunnel.whenClosed(late);
    expect(late).toHaveBeenCalledOnce();
  });

  it('lets a client that has ended hear the rest, and its upstream too when the client closes then', async () => {
    const { tunnel, client, socket, upstream } = await openTunnel();
    client.socket.end();
    await until(() => upstream.finish.mock.calls.length > 0);
    tunnel.onBytes(Buffer.from('rest'));
    await client.receive('rest');
    socket.destroy();
    await until(() => upstream.destroySoon.mock.calls.length > 0);
    expect(upstream.destroy).not.toHaveBeenCalled();
  });

  it('cuts the client when the upstream closes without an end', async () => {
    const { tunnel, client } = await openTunnel();
    tunnel.onClosed();
    await client.untilClosed();
  });

  /** The kernel of the client would throw away what it has not read yet, if it were answered by a reset. */
  it('carries the last words of an upstream that has gone to a client that goes on sending', async () => {
    const { tunnel, client, socket, upstream, onSettled } = await openTunnel();
    const words = Buffer.alloc(1_000_000, 'x');
    client.socket.pause();
    for (let sent = 0; sent < 10; sent += 1) client.send('goes on');
    tunnel.onBytes(words);
    upstream.ended = true;
    tunnel.onEnd();
    tunnel.onClosed();
    client.send('still goes on');
    await until(() => socket.writableFinished);
    client.send('and on');
    client.socket.resume();
    await client.untilClosed();
    expect(client.received.length).toBe(words.length);
    expect(client.ending).toBe('fin');
    client.socket.end();
    await until(() => onSettled.mock.calls.length === 1);
  });
});
