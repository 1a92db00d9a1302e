import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { dataHalfSetUp, type OpenDataHalf } from '../support/set-ups/data-half-set-up.ts';
import { HttpsClient, type Answer } from '../support/clients/https-client.ts';
import { serviceView } from '../support/samples/service-view.ts';

const HOST = 'app.localhost';
const ADMIN = 'proxy.app.localhost';
const AWAY = 'What wakes services is away for a moment.';

describe('a proxy whose control process is away', () => {
  const setUp = dataHalfSetUp();
  const closing: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of closing.splice(0)) await close();
  });

  const wake = { timeoutMs: 1, maxWaiting: 10, page: 'auto', pageAfterMs: 1 } as const;
  const asleep = serviceView({ routes: [{ host: HOST, path: '/', port: 3000 }], wake });

  /** The certificate of the set-up is for another name. */
  function ask(half: OpenDataHalf, host: string, headers: Record<string, string> = {}): Promise<Answer> {
    const { port, ca } = half.client;
    return new HttpsClient({ port, ca, servername: 'app.test' }).ask(host, { headers });
  }

  it('says that nobody is there who could wake the service, when the time is up', async () => {
    const half = await setUp([asleep]);
    half.link.away = true;
    half.link.wake.mockReturnValue(new Promise(() => undefined));
    const answer = await ask(half, HOST);
    expect(answer.status).toBe(504);
    expect(answer.headers['retry-after']).toBe('5');
    expect(answer.json()).toMatchObject({ code: 'control_away' });
  });

  it('tells it on the waiting page', async () => {
    const half = await setUp([asleep], { notice: () => AWAY });
    half.link.wake.mockReturnValue(new Promise(() => undefined));
    const { status, body } = await ask(half, HOST, { accept: 'text/html' });
    expect(status).toBe(503);
    expect(body).toContain(AWAY);
  });

  it('lets the management API wait until it is back', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'rv-away-'));
    const path = join(folder, 'control.sock');
    closing.push(() => rm(folder, { recursive: true }));
    const half = await setUp([], { admin: { host: ADMIN, endpoint: { host: path, port: 0 } } });
    half.link.untilBack.mockImplementation(async () => {
      const server = createServer((_, response) => response.end('back'));
      closing.push(() => server.close());
      await new Promise<void>((resolve) => server.listen(path, resolve));
    });
    expect(await ask(half, ADMIN)).toMatchObject({ status: 200, body: 'back' });
  });

  it('says that the management API cannot be reached when it does not come back', async () => {
    const half = await setUp([], { admin: { host: ADMIN, endpoint: { host: '/nowhere/control.sock', port: 0 } } });
    expect((await ask(half, ADMIN)).status).toBe(502);
    expect(half.link.untilBack).toHaveBeenCalledOnce();
  });
});
