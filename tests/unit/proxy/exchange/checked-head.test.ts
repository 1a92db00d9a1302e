import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { writeCheckedHead } from '../../../../src/proxy/exchange/checked-head.ts';
import { BytePeer } from '../../../support/wire/byte-peer.ts';

const DATE = 'Sun, 22 Nov 2026 08:00:00 GMT';

/** What a client receives, with the moment in Date left out unless it is that of the fields. */
async function answerBy(respond: (response: ServerResponse) => void): Promise<string> {
  const server = createServer((_request, response) => respond(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = await BytePeer.tcp((server.address() as AddressInfo).port);
  client.send('GET / HTTP/1.1\r\nHost: app.test\r\nConnection: close\r\n\r\n');
  const received = await client.untilClosed();
  server.close();
  return received.replace(/Date: (?!Sun, 22 Nov 2026 08:00:00).*\r\n/, 'Date: now\r\n');
}

/** The status line, the fields in any order, and the content. */
function parts(received: string): { first: string; fields: string[]; content: string } {
  const [head = '', content = ''] = received.split('\r\n\r\n');
  const [first = '', ...fields] = head.split('\r\n');
  return { first, fields: fields.sort(), content };
}

describe('writeCheckedHead', () => {
  it.each([
    ['a length', 200, ['Server', 'x', 'Content-Length', '2', 'Set-Cookie', 'a', 'Set-Cookie', 'b'], 'ok'],
    ['no length', 200, ['X-A', 'é'], 'ok'],
    ['a date', 200, ['DATE', DATE, 'content-length', '2'], 'ok'],
    ['trailers', 200, ['Trailer', 'X-Sum', 'Transfer-Encoding', 'chunked'], 'ok'],
    ['an end of the connection', 200, ['Connection', 'close', 'Content-Length', '2'], 'ok'],
    ['no fields', 200, [], 'ok'],
    ['no content', 204, ['X-A', '1'], ''],
    ['nothing new', 304, ['ETag', '"a"', 'Content-Length', '500'], ''],
  ])('says what `writeHead` says, with %s', async (_what, status, fields, content) => {
    const plain = await answerBy((response) => response.writeHead(status, 'As It Is', fields).end(content, 'latin1'));
    const checked = await answerBy((response) => {
      writeCheckedHead(response, status, 'As It Is', fields);
      response.end(content, 'latin1');
    });
    expect(parts(checked)).toEqual(parts(plain));
    expect(checked.startsWith(`HTTP/1.1 ${status} As It Is\r\n`)).toBe(true);
  });

  it('keeps the order of the fields', async () => {
    const fields = ['B', '1', 'A', '2', 'b', '3'];
    const received = await answerBy((response) => {
      writeCheckedHead(response, 200, 'OK', fields);
      response.end();
    });
    expect(received).toMatch(/^HTTP\/1\.1 200 OK\r\nB: 1\r\nA: 2\r\nb: 3\r\n/);
  });
});
