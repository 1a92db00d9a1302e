import { createServer as createHttpServer, type RequestListener } from 'node:http';
import { createServer as createHttp2Server } from 'node:http2';
import { createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { NetworkProber } from '../../../src/probes/network-prober.ts';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';
import { untilPasses } from '../../support/until.ts';

const prober = new NetworkProber();
const sockets = new Set<Socket>();
const servers: Server[] = [];

/** Counts what is open, so that a test can tell that nothing was left. */
async function listen(server: Server): Promise<Endpoint> {
  servers.push(server);
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    // A socket that is not read never hears that the other side has gone.
    if (server.constructor.name === 'Server' && server.listenerCount('request') === 0) socket.resume();
    socket.on('error', () => undefined);
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return { host: '127.0.0.1', port: typeof address === 'object' ? address!.port : 0 };
}

/** A server that does what `act` says as soon as it has heard something. */
const raw = (act: (socket: Socket) => void): Promise<Endpoint> =>
  listen(createServer((socket) => socket.once('data', () => act(socket))));
const http = (listener: RequestListener): Promise<Endpoint> => listen(createHttpServer(listener));
const soon = (ms = 20_000): AbortSignal => AbortSignal.timeout(ms);

async function nothingLeft(): Promise<void> {
  await untilPasses(() => expect(sockets.size).toBe(0));
}

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(servers.splice(0).map((server) => new Promise((resolve) => server.close(resolve))));
});

describe('an HTTP probe', () => {
  for (const status of [200, 204, 301, 401, 404, 499]) {
    it(`passes when it is answered ${status}`, async () => {
      const endpoint = await http((_request, response) => response.writeHead(status, { location: '/away' }).end());
      expect(await prober.http(endpoint, '/', soon())).toEqual({ ok: true });
      await nothingLeft();
    });
  }

  for (const status of [500, 503, 599]) {
    it(`fails when it is answered ${status}`, async () => {
      const endpoint = await http((_request, response) => response.writeHead(status).end());
      const reason = `GET /ping was answered ${status}`;
      expect(await prober.http(endpoint, '/ping', soon())).toEqual({ ok: false, reason });
      await nothingLeft();
    });
  }

  it('takes another bound than 500', async () => {
    const endpoint = await http((_request, response) => response.writeHead(404).end());
    expect(await prober.http(endpoint, '/', soon(), 400)).toMatchObject({ ok: false });
    expect(await prober.http(endpoint, '/', soon(), 405)).toEqual({ ok: true });
  });

  it('says who it is, and names the address unless it is given a host', async () => {
    const heard: unknown[] = [];
    const endpoint = await http(({ headers, url, method }, response) => {
      heard.push([method, url, headers.host, headers['user-agent'], headers.connection]);
      response.end();
    });
    await prober.http(endpoint, '/a?b=c', soon());
    await prober.http(endpoint, '/', soon(), 500, { host: 'app.test' });
    expect(heard).toEqual([
      ['GET', '/a?b=c', `127.0.0.1:${endpoint.port}`, 'Reveille-Probe', 'close'],
      ['GET', '/', 'app.test', 'Reveille-Probe', 'close'],
    ]);
  });

  it('follows no redirect', async () => {
    let requests = 0;
    const endpoint = await http((_request, response) => {
      requests += 1;
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    await prober.http(endpoint, '/', soon());
    await nothingLeft();
    expect(requests).toBe(1);
  });

  it('waits through informational answers for the final one', async () => {
    const endpoint = await raw((socket) =>
      socket.end('HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n'),
    );
    expect(await prober.http(endpoint, '/', soon())).toMatchObject({
      ok: false,
      reason: expect.stringContaining('500') as string,
    });
  });

  it('passes at the head, before the body', async () => {
    const endpoint = await http((_request, response) => {
      response.writeHead(200);
      response.write('the rest never comes');
    });
    expect(await prober.http(endpoint, '/', soon())).toEqual({ ok: true });
    await nothingLeft();
  });

  it('cuts off a body without end', async () => {
    const endpoint = await http((_request, response) => {
      const more = (): void => {
        while (!response.destroyed && response.write('x'.repeat(10_000)));
      };
      response.on('drain', more);
      more();
    });
    expect(await prober.http(endpoint, '/', soon())).toEqual({ ok: true });
    await nothingLeft();
  });

  it('does not break off a short answer', async () => {
    let aborted = false;
    const endpoint = await http((_request, response) => {
      response.on('close', () => (aborted = !response.writableFinished));
      response.write('half');
      setImmediate(() => response.end('done'));
    });
    await prober.http(endpoint, '/', soon());
    await nothingLeft();
    expect(aborted).toBe(false);
  });

  it('fails where nobody listens', async () => {
    const endpoint = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    const result = await prober.http(endpoint, '/', soon());
    expect(result).toMatchObject({ ok: false, reason: expect.stringContaining('ECONNREFUSED') as string });
  });

  const hostile: Record<string, (socket: Socket) => void> = {
    'is reset': (socket) => socket.resetAndDestroy(),
    'is closed without an answer': (socket) => socket.end(),
    'is answered with garbage': (socket) => socket.end('\x00\x01\x02 not http at all\r\n\r\n'),
    'is answered with half a head': (socket) => socket.end('HTTP/1.1 200 OK\r\nX-Half: '),
    'is answered with a head without end': (socket) => socket.write(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(200_000)}`),
    'is answered with 101': (socket) =>
      socket.write('HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: other\r\n\r\n'),
  };
  for (const [what, act] of Object.entries(hostile)) {
    it(`fails when it ${what}`, async () => {
      const endpoint = await raw(act);
      expect(await prober.http(endpoint, '/', soon())).toMatchObject({ ok: false });
      await nothingLeft();
    });
  }

  it('ends with the signal when it is accepted and never answered', async () => {
    const endpoint = await listen(createServer());
    const startedAt = performance.now();
    const result = await prober.http(endpoint, '/', soon(100));
    expect(result).toEqual({ ok: false, reason: 'no complete answer in time' });
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await nothingLeft();
  });

  it('ends with the signal when the head comes byte by byte', async () => {
    const endpoint = await raw((socket) => {
      const timer = setInterval(() => socket.write('H'.repeat(1)), 10);
      socket.write('HTTP/1.1 200 OK\r\nX-Slow: ');
      socket.on('close', () => clearInterval(timer));
    });
    expect(await prober.http(endpoint, '/', soon(100))).toMatchObject({ ok: false });
    await nothingLeft();
  });

  it('connects to nothing once the signal has aborted', async () => {
    let connections = 0;
    const endpoint = await listen(createServer(() => (connections += 1)));
    expect(await prober.http(endpoint, '/', AbortSignal.abort())).toMatchObject({ ok: false });
    expect(connections).toBe(0);
  });

  it('fails with a path that cannot be sent', async () => {
    const endpoint = await http((_request, response) => response.end());
    expect(await prober.http(endpoint, '/a b\r\nX: y', soon())).toMatchObject({ ok: false });
  });
});

describe('a probe over h2c', () => {
  const h2c = { protocol: 'h2c' } as const;

  it('judges the status of a service that speaks HTTP/2 from the first byte', async () => {
    const server = createHttp2Server();
    server.on('stream', (stream, headers) => {
      stream.respond({ ':status': headers[':path'] === '/bad' ? 503 : 200 });
      stream.end('body');
    });
    server.on('session', (session) => session.on('error', () => undefined));
    const endpoint = await listen(server);
    expect(await prober.http(endpoint, '/', soon(), 500, h2c)).toEqual({ ok: true });
    expect(await prober.http(endpoint, '/bad', soon(), 500, h2c)).toMatchObject({ ok: false });
    await nothingLeft();
  });

  it('fails with a service that speaks HTTP/1.1', async () => {
    const endpoint = await http((_request, response) => response.end());
    expect(await prober.http(endpoint, '/', soon(), 500, h2c)).toMatchObject({ ok: false });
    await nothingLeft();
  });

  it('ends with the signal', async () => {
    const endpoint = await listen(createServer());
    expect(await prober.http(endpoint, '/', soon(100), 500, h2c)).toMatchObject({ ok: false });
    await nothingLeft();
  });
});

describe('a TCP probe', () => {
  it('passes when the connection is accepted', async () => {
    const endpoint = await listen(createServer());
    expect(await prober.tcp(endpoint, soon())).toEqual({ ok: true });
    await nothingLeft();
  });

  it('fails where nobody listens', async () => {
    const endpoint = await listen(createServer());
    await new Promise((resolve) => servers.pop()?.close(resolve));
    expect(await prober.tcp(endpoint, soon())).toMatchObject({ ok: false });
  });

  it('ends with the signal', async () => {
    // A documentation address (RFC 5737): nothing answers there.
    expect(await prober.tcp({ host: '192.0.2.1', port: 9 }, soon(100))).toMatchObject({ ok: false });
  });
});
