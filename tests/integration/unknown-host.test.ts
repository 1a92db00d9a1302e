import { describe, expect, it } from 'vitest';
import { HttpsClient, type Answer } from '../support/clients/https-client.ts';
import { serviceView } from '../support/samples/service-view.ts';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';

const HOST = 'stranger.localhost';
const ATTACK = '/"><img/src=x>';
const service = serviceView({ name: 'billing', routes: [{ host: 'billing.localhost', path: '/', port: 3000 }] });

describe('a host that no service has', () => {
  const setUp = dataHalfSetUp();

  /** What a program and a browser are answered, and the address of the dashboard. */
  async function answers(development: boolean): Promise<{ program: Answer; page: Answer; dashboard: string }> {
    const { client } = await setUp([service], { development, manifest: 'my-services.ts' });
    const dashboard = `https://proxy.app.test:${client.port}/`;
    const stranger = new HttpsClient({ port: client.port, ca: client.ca, servername: 'app.test' });
    const headers = { 'sec-fetch-mode': 'navigate' };
    const [program, page] = [stranger.ask(HOST), stranger.ask(HOST, { path: ATTACK, headers })];
    return { program: await program, page: await page, dashboard };
  }

  it('is told in development what to do about it', async () => {
    const { program, page, dashboard } = await answers(true);
    expect(program.json()).toMatchObject({
      status: 404,
      detail: `no service answers at ${HOST}/; check how it is written`,
      advice: expect.stringMatching(/routes of a service in my-services\.ts\. All services: https:/) as string,
    });
    expect(program.json()['advice']).toContain(dashboard);
    expect(page.status).toBe(404);
    expect(page.body).toContain('routes of a service in my-services.ts');
    expect(page.body).toContain(`<a href="${dashboard}">`);
    expect(page.body).not.toContain('<img');
  });

  it('hears in production nothing of what there is', async () => {
    const { program, page } = await answers(false);
    expect(program.json()).not.toHaveProperty('advice');
    expect(program.json()['detail']).toBe(`no service answers at ${HOST}/; check how it is written`);
    for (const { body } of [program, page]) expect(body).not.toMatch(/my-services|proxy\.app|billing/);
  });
});
