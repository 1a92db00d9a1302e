import { createServer, get, type IncomingMessage } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { Http1Exchange } from '../../../../src/proxy/exchange/http1-exchange.ts';

const FACTS = {
  requestId: 'r',
  target: '/',
  host: 'app.test',
  authority: 'app.test',
  serverName: undefined,
  secure: false,
  remoteAddress: '127.0.0.1',
};
const CHUNK = Buffer.alloc(20_000, 'x');

it('hands node:http the chunks of a large answer and nothing between them', async () => {
  const written: number[] = [];
  const server = createServer((request, response) => {
    const write = response.write.bind(response) as (chunk: Uint8Array) => boolean;
    response.write = (chunk: Uint8Array) => {
      written.push(chunk.length);
      return write(chunk);
    };
    const exchange = new Http1Exchange(request, response, FACTS);
    exchange.sendHead(200, 'OK', ['Content-Length', String(3 * CHUNK.length)]);
    for (let sent = 0; sent < 3; sent += 1) exchange.write(CHUNK);
    exchange.end();
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const asked = get({ host: '127.0.0.1', port: (server.address() as AddressInfo).port, agent: false });
  const [answer] = (await once(asked, 'response')) as [IncomingMessage];
  const content = Buffer.concat((await answer.toArray()) as Buffer[]);
  server.close();

  expect(content.length).toBe(3 * CHUNK.length);
  expect(written).toEqual([CHUNK.length, CHUNK.length, CHUNK.length]);
});
