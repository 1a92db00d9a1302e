import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { connect as connectHttp2 } from 'node:http2';
import { connect as connectTls } from 'node:tls';
import { afterEach, describe, it } from 'vitest';
import type { ClientExchange } from '../../src/proxy/exchange/client-exchange.ts';
import { openTls } from '../support/clients/front-door-clients.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { until } from '../support/until.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { FRAME, frame, headers, PREFACE } from '../support/wire/http2-frames.ts';

const limits = { stallTimeoutMs: 150, sessionIdleTimeoutMs: 150 };
/** More than all the buffers between two sockets hold. */
const LARGE = Buffer.alloc(16 * 1024 * 1024);
const answer = (exchange: ClientExchange): void => exchange.respond(200, [], LARGE);

/** Whoever made the answer has done with it: no limit of the forwarding sees these any more. */
describe('an answer that is complete and that the client does not read', () => {
  const open: { destroy(): void }[] = [];
  let door: FrontDoor | undefined;
  afterEach(async () => {
    for (const each of open.splice(0)) each.destroy();
    await door?.close();
  });

  async function unreadRequest(fields: string): Promise<FrontDoor> {
    door = await FrontDoor.open({ limits, onExchange: answer, onUpgrade: answer });
    const socket = await openTls(door);
    open.push(socket);
    socket.pause();
    socket.write(`GET / HTTP/1.1\r\nHost: app.test\r\n${fields}\r\n`);
    return door;
  }

  it('does not hold an HTTP/1 connection for ever', async () => {
    const { exchanges, listener } = await unreadRequest('');
    await until(() => exchanges.length === 1 && listener.counts.open === 0);
  });

  it('does not hold a connection that was to close after it', async () => {
    const { exchanges, listener } = await unreadRequest('Connection: close\r\n');
    await until(() => exchanges.length === 1 && listener.counts.open === 0);
  });

  it('does not hold a connection whose upgrade was refused', async () => {
    const { exchanges, listener } = await unreadRequest('Connection: Upgrade\r\nUpgrade: websocket\r\n');
    await until(() => exchanges.length === 1 && listener.counts.open === 0);
  });

  it('does not hold an HTTP/2 session that gives no window (CVE-2019-9517)', async () => {
    door = await FrontDoor.open({ limits });
    const { client, port, exchanges, listener } = door;
    const session: ClientHttp2Session = connectHttp2(`https://app.test:${port}`, {
      settings: { initialWindowSize: 0 },
      createConnection: () => connectTls({ ...client, ALPNProtocols: ['h2'] }),
    });
    open.push(session);
    session.on('error', () => undefined);
    await once(session, 'connect');
    for (let count = 0; count < 3; count += 1) {
      session.request({ ':path': '/', ':authority': 'app.test' }).on('error', () => undefined);
    }
    await until(() => exchanges.length === 3 && listener.counts.sessions === 0 && listener.counts.open === 0);
  });

  it('does not hold an HTTP/2 session whose connection is not read', async () => {
    door = await FrontDoor.open({ limits, onExchange: answer });
    const { client, exchanges, listener } = door;
    const peer = await BytePeer.tls({ ...client, ALPNProtocols: ['h2'] });
    open.push(peer);
    peer.socket.pause();
    // Window enough for all, so that it is TCP that holds the answer up.
    const window = Buffer.from([0x7f, 0, 0, 0]);
    const settings = frame(FRAME.settings, 0, 0, Buffer.concat([Buffer.from([0, 4]), window]));
    const request = [
      [':method', 'GET'],
      [':scheme', 'https'],
      [':authority', 'app.test'],
      [':path', '/'],
    ] as const;
    peer.send(Buffer.concat([PREFACE, settings, frame(FRAME.windowUpdate, 0, 0, window), headers(1, request)]));
    await until(() => exchanges.length === 1);
    await until(() => listener.counts.sessions === 0 && listener.counts.open === 0);
  });
});
