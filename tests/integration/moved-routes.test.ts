import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dataHalfSetUp, type OpenDataHalf } from '../support/set-ups/data-half-set-up.ts';
import { HttpsClient, type Answer } from '../support/clients/https-client.ts';
import { awakeView, serviceView } from '../support/samples/service-view.ts';
import { until } from '../support/until.ts';

const HOST = 'app.localhost';
const routes = [{ host: HOST, path: '/', port: 3000 }];

describe('a request that waits for a service which leaves the manifest', () => {
  const setUp = dataHalfSetUp();
  const closing: (() => unknown)[] = [];
  afterEach(() => {
    for (const close of closing.splice(0)) close();
  });

  /** Begins to wait for a service that never wakes. */
  async function waiting(): Promise<{ half: OpenDataHalf; answer: Promise<Answer> }> {
    const half = await setUp([serviceView({ name: 'old', routes })]);
    half.link.wake.mockReturnValue(new Promise(() => undefined));
    const { port, ca } = half.client;
    const answer = new HttpsClient({ port, ca, servername: 'app.test' }).ask(HOST);
    await until(() => half.link.wake.mock.calls.length > 0);
    return { half, answer };
  }

  it('is served by the one that has its route now, as after a renaming', async () => {
    const server = createServer((_, response) => response.end('the new one'));
    closing.push(() => server.close());
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const endpoint = { host: '127.0.0.1', port: (server.address() as AddressInfo).port };
    const { half, answer } = await waiting();
    const upstreams = [{ id: 'new-1', endpoints: { 3000: endpoint } }];
    half.link.update({ services: [awakeView({ name: 'new', routes, upstreams })], removed: ['old'] });
    expect(await answer).toMatchObject({ status: 200, body: 'the new one' });
  });

  it('is told that nobody has its address any more', async () => {
    const { half, answer } = await waiting();
    half.link.update({ removed: ['old'] });
    const told = await answer;
    expect(told.status).toBe(404);
    expect(told.json()).toMatchObject({ code: 'unknown_host' });
  });
});
