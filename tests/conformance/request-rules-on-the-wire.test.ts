import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { headers, PREFACE, readFrames } from '../support/wire/http2-frames.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

let door: FrontDoor;

beforeAll(async () => {
  door = await FrontDoor.open({
    onExchange: (exchange) => {
      const answer = (): void => exchange.respond(200, [], exchange.target);
      // The answer waits for the whole request, as it does when a service answers.
      exchange.body.on('error', () => undefined);
      if (exchange.hasBody) exchange.body.once('end', answer).resume();
      else answer();
    },
  });
});
afterAll(() => door.close());
beforeEach(() => {
  door.exchanges.length = 0;
  door.refusals.length = 0;
});

const SECRET = 'GET /secret HTTP/1.1\r\nHost: app.test\r\n\r\n';

async function answerTo(bytes: string): Promise<string> {
  const client = await BytePeer.tls(door.client);
  client.send(bytes);
  return client.untilClosed();
}

describe('HTTP/1.1 on the wire', () => {
  it.each([
    [
      'CL and TE',
      'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['TE gzip, chunked', 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n', 400],
    [
      'two TEs',
      'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: gzip\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['TE xchunked', 'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n', 400],
    [
      'TE behind a vertical tab',
      'POST / HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: \u000bchunked\r\n\r\n0\r\n\r\n',
      400,
    ],
    ['TE in HTTP/1.0', 'POST / HTTP/1.0\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n', 400],
    ['two CLs', 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabc', 400],
    ['CL in a list', 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: 3, 3\r\n\r\nabc', 400],
    ['signed CL', 'POST / HTTP/1.1\r\nHost: app.test\r\nContent-Length: +3\r\n\r\nabc', 400],
    ['space before the colon', 'GET / HTTP/1.1\r\nHost: app.test\r\nContent-Length : 3\r\n\r\nabc', 400],
    ['a folded line', 'GET / HTTP/1.1\r\nHost: app.test\r\nX: a\r\n b\r\n\r\n', 400],
    ['bare LF', 'GET / HTTP/1.1\nHost: app.test\n\n', 400],
    ['bare CR', 'GET / HTTP/1.1\r\nHost: app.test\r\nX: a\rb\r\n\r\n', 400],
    ['NUL in a value', 'GET / HTTP/1.1\r\nHost: app.test\r\nX: a\u0000b\r\n\r\n', 400],
    ['two Hosts', 'GET / HTTP/1.1\r\nHost: app.test\r\nHost: b.test\r\n\r\n', 400],
    ['HTTP/2.0 as text', 'GET / HTTP/2.0\r\nHost: app.test\r\n\r\n', 505],
    ['HTTP/1.2', 'GET / HTTP/1.2\r\nHost: app.test\r\n\r\n', 505],
    ['HTTP/0.9', 'GET /\r\n\r\n', 505],
    ['the preface of HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 505],
    ['CONNECT', 'CONNECT app.test:443 HTTP/1.1\r\nHost: app.test\r\n\r\n', 501],
    [
      'an unknown expectation',
      'POST / HTTP/1.1\r\nHost: app.test\r\nExpect: wonders\r\nContent-Length: 0\r\n\r\n',
      417,
    ],
    ['no request at all', '\u0016\u0003\u0001 what is this', 400],
  ])('%s: is refused and closed, and what follows is not served', async (_what, bytes, status) => {
    const answer = await answerTo(bytes + SECRET);
    expect(answer).toMatch(new RegExp(`^HTTP/1\\.1 ${status} `));
    expect(answer.match(/HTTP\/1\.1 [0-9]{3} /g)).toHaveLength(1);
    expect(answer.toLowerCase()).toContain('connection: close');
    expect(answer).toContain('application/problem+json');
    const [refusal] = door.refusals;
    expect(door.refusals).toHaveLength(1);
    expect(answer).toContain(`"requestId":"${refusal?.requestId}"`);
    expect(answer).toContain(`x-request-id: ${refusal?.requestId}`);
    expect(answer).toContain(`"code":"${refusal?.code}"`);
    expect(door.exchanges).toHaveLength(0);
  });

  it.each([
    'zz\r\n',
    '-1\r\n',
    '0x3\r\nabc\r\n',
    'fffffffffffffffff\r\n',
    '3 \r\nabc\r\n',
    '3\nabc\r\n',
    '3\r\nabcd\r\n',
  ])('the chunk %j ends the connection, and what follows is not served', async (chunk) => {
    const answer = await answerTo(
      `POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n${chunk}0\r\n\r\n${SECRET}`,
    );
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer.match(/HTTP\/1\.1 [0-9]{3} /g)).toHaveLength(1);
    expect(door.exchanges.map(({ target }) => target)).toEqual(['/up']);
  });

  it('endless trailers and chunk extensions end the connection', async () => {
    const start = 'POST /up HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: chunked\r\n\r\n';
    expect(await answerTo(`${start}0\r\n${`X: ${'a'.repeat(1_000)}\r\n`.repeat(100)}`)).toMatch(/^HTTP\/1\.1 431 /);
    expect(await answerTo(`${start}1;${'a'.repeat(40_000)}`)).toMatch(/^HTTP\/1\.1 413 /);
  });

  it('a bad Host is refused on a connection that lives on', async () => {
    const client = await BytePeer.tls(door.client);
    client.send('GET / HTTP/1.1\r\nHost: a@b\r\n\r\n');
    expect(await client.receive('"}\n')).toMatch(/^HTTP\/1\.1 400 /);
    client.send('GET /next HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n');
    expect(await client.untilClosed()).toContain('HTTP/1.1 200 ');
  });

  it('the absolute target wins over Host', async () => {
    await answerTo('GET http://Other.test:81/x HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n');
    expect(door.exchanges[0]).toMatchObject({ host: 'other.test', authority: 'Other.test:81', target: '/x' });
  });

  it.each([
    ['a URL of 20 KB is answered 414', `GET /${'a'.repeat(20_000)}`, / 414 /],
    // The parser gives up in the middle of it, where a URL and a field look the same.
    ['a URL above the size of a head is answered 414 or 431', `GET /${'a'.repeat(100_000)}`, / 4(14|31) /],
    [
      'a single field above the size of a head is answered 431',
      `GET / HTTP/1.1\r\nX-A: ${'a'.repeat(60_000)}`,
      / 431 /,
    ],
  ])('%s', async (_what, text, answer) => {
    const client = await BytePeer.tls(door.client);
    client.send(`${text} HTTP/1.1\r\nHost: app.test\r\n\r\n`);
    expect(await client.receive('"}\n')).toMatch(answer);
    client.destroy();
  });

  it('too many fields, and too large ones, are answered 431', async () => {
    const many = await BytePeer.tls(door.client);
    many.send(`GET / HTTP/1.1\r\nHost: app.test\r\n${'a:\r\n'.repeat(3_000)}\r\n`);
    expect(await many.receive('"}\n')).toMatch(/^HTTP\/1\.1 431 /);
    many.destroy();
    expect(
      await answerTo(`GET / HTTP/1.1\r\nHost: app.test\r\n${`a: ${'b '.repeat(500)}\r\n`.repeat(40)}\r\n`),
    ).toMatch(/^HTTP\/1\.1 431 /);
  });

  it('pipelined requests before a broken one get their answers', async () => {
    const answer = await answerTo(
      'GET /1 HTTP/1.1\r\nHost: app.test\r\n\r\nGET /2 HTTP/1.1\r\nHost: app.test\r\n\r\nNONSENSE\r\n\r\n',
    );
    expect(answer.match(/HTTP\/1\.1 200 /g)).toHaveLength(2);
    expect(answer).toMatch(/\/2$/);
  });

  it('an upgrade to HTTP/2 is ignored and the request served', async () => {
    const answer = await answerTo(
      'GET /plain HTTP/1.1\r\nHost: app.test\r\nConnection: close, Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n',
    );
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer).toMatch(/\/plain$/);
    expect(door.exchanges[0]?.header('upgrade')).toBeUndefined();
  });

  it('an upgrade to a WebSocket is judged by the same rules', async () => {
    const upgrade = 'Connection: Upgrade\r\nUpgrade: websocket\r\n';
    expect(await answerTo(`GET /ws HTTP/1.1\r\nHost: a@b\r\n${upgrade}\r\n`)).toMatch(/^HTTP\/1\.1 400 /);
    expect(await answerTo(`GET /ws HTTP/1.1\r\nHost: app.test\r\n${upgrade}\r\n`)).toMatch(/no upgrade$/);
    expect(door.exchanges[0]).toMatchObject({ target: '/ws', serverName: 'app.test', host: 'app.test' });
  });
});

const request: [string, string][] = [
  [':method', 'GET'],
  [':scheme', 'https'],
  [':authority', 'app.test'],
  [':path', '/'],
];

/** Sends one request head on stream 1, then a good request on stream 3, and waits for the answer to that. */
async function http2(fields: readonly (readonly [string, string])[]) {
  const client = await BytePeer.tls({ ...door.client, ALPNProtocols: ['h2'] });
  client.socket.write(Buffer.concat([PREFACE, headers(1, fields)]));
  await until(() => readFrames(client.received).frames.some(({ stream }) => stream === 1));
  client.socket.write(headers(3, request));
  await until(() => readFrames(client.received).frames.some(({ stream, type }) => stream === 3 && type === 1));
  const frames = readFrames(client.received).frames;
  client.destroy();
  return frames.filter(({ stream }) => stream === 1);
}

const RST_STREAM = 3;
const PROTOCOL_ERROR = 1;

describe('HTTP/2 on the wire', () => {
  it.each([
    ['an upper-case name', [...request, ['X-Up', '1']]],
    ['connection', [...request, ['connection', 'close']]],
    ['transfer-encoding', [...request, ['transfer-encoding', 'chunked']]],
    ['te: gzip', [...request, ['te', 'gzip']]],
    ['no :path', request.slice(0, 3)],
    ['an empty :path', [...request.slice(0, 3), [':path', '']]],
    ['two :authority', [...request, [':authority', 'b.test']]],
    ['a pseudo field after a field', [...request.slice(0, 3), ['x', '1'], [':path', '/']]],
    ['an unknown pseudo field', [[':what', '1'], ...request]],
    ['two hosts', [...request, ['host', 'app.test'], ['host', 'b.test']]],
    ['two content-lengths', [...request, ['content-length', '1'], ['content-length', '2']]],
  ] as [string, [string, string][]][])('%s resets the stream and nothing else', async (_what, fields) => {
    const frames = await http2(fields);
    expect(frames.map(({ type, payload }) => [type, payload.readUInt32BE(0)])).toEqual([[RST_STREAM, PROTOCOL_ERROR]]);
    expect(door.exchanges).toHaveLength(1);
  });

  it.each([
    ['a host that differs from :authority', [...request, ['host', 'b.test']], 'bad_host'],
    ['user information', [...request.slice(0, 2), [':authority', 'u@app.test'], [':path', '/']], 'bad_host'],
    [
      'another scheme',
      [
        [':method', 'GET'],
        [':scheme', 'ftp'],
        [':authority', 'app.test'],
        [':path', '/'],
      ],
      'malformed_request',
    ],
    [
      'CONNECT',
      [
        [':method', 'CONNECT'],
        [':authority', 'app.test:443'],
      ],
      'connect_not_supported',
    ],
  ] as [string, [string, string][], string][])('%s is refused with a reason', async (_what, fields, code) => {
    const frames = await http2(fields);
    const body = Buffer.concat(frames.filter(({ type }) => type === 0).map(({ payload }) => payload)).toString();
    expect(JSON.parse(body)).toMatchObject({ code, requestId: door.refusals[0]?.requestId });
    expect(door.exchanges).toHaveLength(1);
  });
});
