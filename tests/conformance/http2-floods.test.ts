import { afterEach, describe, expect, it } from 'vitest';
import { get2, openHttp2 } from '../support/clients/front-door-clients.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { FRAME, frame, headers, PREFACE, readFrames } from '../support/wire/http2-frames.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const ACK = 1;
const PADDED = 8;
const GET = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'app.test'],
  [':path', '/'],
] as const;
const POST = [[':method', 'POST'], ...GET.slice(1)] as const;
const MARK = frame(FRAME.ping, 0, 0, Buffer.from('the mark'));

interface Flood {
  readonly what: string;
  readonly reference: string;
  readonly first?: Buffer;
  /** One round of it; streams are odd numbers from 1. */
  readonly round: (stream: number, index: number) => Buffer;
  readonly rounds: number;
  /** How many requests may come of it. */
  readonly requests: number;
  /** `ends`: the connection; `bears`: costs nothing that lasts, and a PING behind it is answered. */
  readonly outcome: 'ends' | 'bears';
}

function number(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** A request, and something behind it that makes us reset it. */
function madeReset(what: string, behind: (stream: number) => Buffer): Flood {
  return {
    what: `requests that we are made to reset: ${what}`,
    reference: 'CVE-2025-8671 (MadeYouReset)',
    round: (stream) => Buffer.concat([headers(stream, GET), behind(stream)]),
    ...{ rounds: 2_000, requests: 1, outcome: 'ends' },
  };
}

const floods: readonly Flood[] = [
  {
    what: 'streams that are opened and reset at once',
    reference: 'CVE-2023-44487 (rapid reset)',
    round: (stream) => Buffer.concat([headers(stream, GET), frame(FRAME.reset, 0, stream, number(8))]),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'uploads that are reset at once without an error',
    reference: 'CVE-2023-44487 (rapid reset)',
    round: (stream) => Buffer.concat([headers(stream, POST, false), frame(FRAME.reset, 0, stream, number(0))]),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  madeReset('a window that grows by nothing', (stream) => frame(FRAME.windowUpdate, 0, stream, number(0))),
  madeReset('a window that grows too large', (stream) => frame(FRAME.windowUpdate, 0, stream, number(0x7fffffff))),
  madeReset('content after the end', (stream) => frame(FRAME.data, 0, stream, Buffer.from('x'))),
  madeReset('a second head', (stream) => headers(stream, GET)),
  madeReset('a priority of a wrong length', (stream) => frame(FRAME.priority, 0, stream, Buffer.alloc(4))),
  madeReset('a priority below itself', (stream) =>
    frame(FRAME.priority, 0, stream, Buffer.concat([number(stream), Buffer.from([1])])),
  ),
  {
    what: 'requests that we are made to reset: more content than announced',
    reference: 'CVE-2025-8671 (MadeYouReset)',
    round: (stream) =>
      Buffer.concat([
        headers(stream, [...POST, ['content-length', '1']], false),
        frame(FRAME.data, 1, stream, Buffer.from('xx')),
      ]),
    ...{ rounds: 2_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'more streams than allowed',
    reference: 'CVE-2019-9514 (reset flood)',
    round: (stream) => headers(stream, GET),
    ...{ rounds: 2_000, requests: 128, outcome: 'ends' },
  },
  {
    what: 'malformed requests',
    reference: 'CVE-2019-9514 (reset flood)',
    round: (stream) => headers(stream, [...GET, ['Upper', 'x']]),
    ...{ rounds: 2_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'PING frames',
    reference: 'CVE-2019-9512',
    round: () => frame(FRAME.ping, 0, 0, Buffer.alloc(8)),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'answers to PING frames that nobody sent',
    reference: 'CVE-2019-9512',
    round: () => frame(FRAME.ping, ACK, 0, Buffer.alloc(8)),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'SETTINGS frames that move the windows of a hundred streams',
    reference: 'CVE-2019-9515',
    first: Buffer.concat(Array.from({ length: 100 }, (_, index) => headers(2 * index + 1, GET))),
    round: (_stream, index) =>
      frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), number(index % 2 === 0 ? 1 : 65_535)])),
    ...{ rounds: 5_000, requests: 100, outcome: 'ends' },
  },
  {
    what: 'acknowledged SETTINGS that nobody sent',
    reference: 'CVE-2019-9515',
    round: () => frame(FRAME.settings, ACK, 0),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'empty DATA frames',
    reference: 'CVE-2019-9518',
    first: headers(1, POST, false),
    round: () => frame(FRAME.data, 0, 1),
    ...{ rounds: 5_000, requests: 1, outcome: 'ends' },
  },
  {
    what: 'DATA frames of padding alone',
    reference: 'CVE-2019-9518',
    first: headers(1, POST, false),
    round: () => frame(FRAME.data, PADDED, 1, Buffer.alloc(1)),
    ...{ rounds: 20_000, requests: 1, outcome: 'bears' },
  },
  {
    what: 'CONTINUATION frames without end',
    reference: 'CVE-2024-27316',
    first: frame(1, 0, 1, Buffer.from([0x82, 0x87])),
    round: () => frame(FRAME.continuation, 0, 1, Buffer.from([0, 1, 97, 1, 97])),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'empty CONTINUATION frames',
    reference: 'CVE-2019-9518, CVE-2024-27316',
    first: frame(1, 0, 1, Buffer.from([0x82, 0x87])),
    round: () => frame(FRAME.continuation, 0, 1),
    ...{ rounds: 5_000, requests: 0, outcome: 'ends' },
  },
  {
    what: 'fields without name and value',
    reference: 'CVE-2019-9516',
    round: (stream) => headers(stream, [...GET, ...Array.from({ length: 1_000 }, () => ['', ''] as const)]),
    // node:http2 leaves such fields out; it is the number of requests that ends it.
    ...{ rounds: 400, requests: 128, outcome: 'ends' },
  },
  {
    what: 'priorities that are shuffled',
    reference: 'CVE-2019-9513',
    first: Buffer.concat(Array.from({ length: 100 }, (_, index) => headers(2 * index + 1, GET))),
    round: (_stream, index) =>
      frame(
        FRAME.priority,
        0,
        2 * (index % 50) + 1,
        Buffer.concat([number(0x80000000 + 2 * (50 + ((index * 7) % 50)) + 1), Buffer.from([index & 255])]),
      ),
    ...{ rounds: 20_000, requests: 100, outcome: 'bears' },
  },
  {
    what: 'windows that grow by one byte at a time',
    reference: 'CVE-2019-9511',
    first: headers(1, GET),
    round: (_stream, index) => frame(FRAME.windowUpdate, 0, index % 2, number(1)),
    ...{ rounds: 20_000, requests: 1, outcome: 'bears' },
  },
];

describe('a flood over HTTP/2', () => {
  let door: FrontDoor;
  const open: { destroy(): void }[] = [];
  afterEach(async () => {
    for (const each of open.splice(0)) each.destroy();
    await door.close();
  });

  async function other(): Promise<unknown> {
    const session = await openHttp2(door);
    open.push(session);
    return get2(session, '/other').finally(() => session.destroy());
  }

  it.each(floods)('of $what is borne or ended, and others are served ($reference)', async (flood) => {
    let requests = 0;
    door = await FrontDoor.open({
      limits: { stallTimeoutMs: 300, sessionIdleTimeoutMs: 300 },
      onExchange: (exchange) => {
        if (exchange.target === '/other') exchange.respond(200, [], 'served');
        else requests += 1;
      },
    });
    const attacker = await BytePeer.tls({ ...door.client, ALPNProtocols: ['h2'] });
    open.push(attacker);
    const { first = Buffer.alloc(0), round, rounds } = flood;
    const all = Array.from({ length: rounds }, (_, index) => round(2 * index + 1, index));
    attacker.socket.write(Buffer.concat([PREFACE, first, ...all, MARK]));
    expect(await other()).toEqual({ status: 200, body: 'served' });
    const isAnswered = (): boolean =>
      readFrames(attacker.received).frames.some(
        ({ type, payload }) => type === FRAME.ping && payload.toString() === 'the mark',
      );
    await until(() => attacker.closed || isAnswered());
    expect(isAnswered()).toBe(flood.outcome === 'bears');
    expect(requests).toBeLessThanOrEqual(flood.requests);
    expect(await other()).toEqual({ status: 200, body: 'served' });
    attacker.destroy();
    await until(() => door.listener.counts.open === 0 && door.exchanges.every((one) => one.abandoned || one.headSent));
  });
});
