import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocketServer } from 'ws';
import { Daemon } from '../support/set-ups/daemon.ts';
import { TestAuthority } from '../support/test-certificate.ts';

const NAME = 'upstream.localhost';

describe('an upstream behind https://', () => {
  let daemon: Daemon;
  let server: Server;
  let folder = '';

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rv-https-'));
    const authority = await TestAuthority.make();
    const caFile = join(folder, 'ca.pem');
    await writeFile(caFile, authority.ca);
    server = createServer(await authority.issue([NAME]), (request, response) => {
      const { servername } = request.socket as Socket & { servername?: string };
      response.setHeader('content-type', 'application/json');
      void request
        .toArray()
        .then((chunks) =>
          response.end(JSON.stringify({ servername, body: chunks.join(''), port: request.socket.remotePort })),
        );
    });
    const echo = new WebSocketServer({ server });
    echo.on('connection', (socket) => socket.on('message', (data) => socket.send(data)));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    daemon = await Daemon.start({
      services: {
        known: { routes: ['known'], url: `https://${NAME}:${port}` },
        other: { routes: ['other'], url: `https://127.0.0.1:${port}` },
      },
      env: { RUNTIME: 'process', NODE_EXTRA_CA_CERTS: caFile },
      withoutDocker: true,
    });
  });

  afterAll(async () => {
    await daemon.dispose();
    server.closeAllConnections();
    server.close();
    await rm(folder, { recursive: true });
  });

  it('is asked by its name, with what was sent, over connections that are kept', async () => {
    const first = await daemon.ask('known', { method: 'POST', body: 'all of it' });
    expect(first.status).toBe(200);
    expect(first.json()).toMatchObject({ servername: NAME, body: 'all of it' });
    const second = await daemon.ask('known');
    expect(second.json<{ port: number }>().port).toBe(first.json<{ port: number }>().port);
  });

  it('is well when it is probed', async () => {
    expect((await daemon.api('GET', '/services/known')).json()).toMatchObject({ status: 'awake' });
  });

  it('carries WebSockets', async () => {
    const socket = await daemon.client.webSocket(daemon.host('known'), '/');
    socket.send('good morning');
    const [answer] = (await once(socket, 'message')) as [Buffer];
    expect(answer.toString()).toBe('good morning');
    socket.close();
    await once(socket, 'close');
  });

  it('is told nothing when its certificate is for another name, and the client hears why', async () => {
    const answer = await daemon.ask('other', { headers: { cookie: 'secret=1' } });
    expect(answer.status).toBe(502);
    const { code, detail } = answer.json<{ code: string; detail: string }>();
    expect(code).toBe('upstream_refused');
    expect(detail).toMatch(/certificate's altnames/);
    expect((await daemon.api('GET', '/services/other')).json()).toMatchObject({ status: 'degraded' });
  });
});
