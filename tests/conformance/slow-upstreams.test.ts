import { afterEach, describe, expect, it } from 'vitest';
import { DeafListener } from '../support/upstreams/deaf-listener.ts';
import { forwardingSetUp } from '../support/set-ups/forwarding.ts';
import { ForwardingFront } from '../support/set-ups/forwarding-front.ts';
import { rawExchange } from '../support/wire/raw-exchange.ts';
import { until } from '../support/until.ts';

const setUp = forwardingSetUp();
const GET = 'GET / HTTP/1.1\r\nHost: a\r\n\r\n';
const post = (length: number, content: string) =>
  `POST / HTTP/1.1\r\nHost: a\r\nContent-Length: ${length}\r\n\r\n${content}`;

describe.skipIf(process.platform !== 'linux')('an upstream whose queue of connections is full', () => {
  const open: { close(): Promise<void> }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
  });

  it.each(['http', 'h2c'] as const)('is given up at the limit and tried once more (%s)', async (protocol) => {
    const deaf = await new DeafListener().start();
    open.push(deaf);
    const front = await new ForwardingFront(deaf.endpoint, { protocol, limits: { connectTimeoutMs: 150 } }).start();
    open.unshift(front);
    let tries = 0;
    const forward = front.forwarder.forward.bind(front.forwarder);
    front.forwarder.forward = (...rest) => {
      tries += 1;
      return forward(...rest);
    };
    const answer = await rawExchange(front.port, GET, 'connect_timeout');
    expect(answer).toMatch(/^HTTP\/1\.1 504 /);
    expect(front.errors.map(({ code }) => code)).toEqual(['connect_timeout']);
    expect(tries).toBe(2);
    await until(() => front.forwarder.connections.open === 0);
  });
});

describe('an upstream that is slow to answer', () => {
  it.each([
    ['a request', GET],
    ['a request with content', post(5, 'hello')],
  ])('is given up at the limit after %s, and tried no second time', async (_what, request) => {
    const { upstream, front } = await setUp(() => undefined, { limits: { responseTimeoutMs: 150 } });
    expect(await rawExchange(front.port, request, 'upstream_timeout')).toMatch(/^HTTP\/1\.1 504 /);
    expect(upstream.heads).toHaveLength(1);
    await until(() => front.forwarder.connections.open === 0);
  });

  it('is given up though it drips the head of its answer', async () => {
    const drips: NodeJS.Timeout[] = [];
    const { upstream, front } = await setUp(
      (peer) => {
        peer.send('HTTP/1.1 200 OK\r\n');
        drips.push(setInterval(() => peer.send('X: y\r\n'), 20));
      },
      { limits: { responseTimeoutMs: 150 } },
    );
    expect(await rawExchange(front.port, GET, 'upstream_timeout')).toMatch(/^HTTP\/1\.1 504 /);
    for (const drip of drips) clearInterval(drip);
    expect(upstream.heads).toHaveLength(1);
  });

  it('is given up though it has sent interim answers', async () => {
    const { front } = await setUp((peer) => peer.send('HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n'), {
      limits: { responseTimeoutMs: 150 },
    });
    expect(await rawExchange(front.port, GET, 'upstream_timeout')).toContain('HTTP/1.1 504 ');
  });
});
