import { connect } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ProblemAnswer } from '../../src/management/contract.ts';
import { ADMIN_HOST, TestManagement, TOKEN, type Answer } from '../support/set-ups/management.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';

let management: TestManagement;

beforeEach(async () => {
  management = await TestManagement.start([serviceSpec({ name: 'web' })]);
});
afterEach(() => management.close());

const ANONYMOUS = { authorization: undefined };
const OWN_ORIGIN = `https://${ADMIN_HOST}`;
const PATHS = [
  ['GET', '/api/services'],
  ['GET', '/api/services/web'],
  ['GET', '/api/instances'],
  ['GET', '/api/events'],
  ['GET', '/api/services/web/logs'],
  ['POST', '/api/services/web/wake'],
  ['POST', '/api/services/web/sleep'],
  ['POST', '/api/services/web/scale'],
  ['POST', '/api/services/web/restart'],
  ['POST', '/api/services/web/scale-up'],
  ['POST', '/api/services/web/scale-down'],
  ['POST', '/services/web/wake'],
  ['POST', '/services/web/sleep'],
  ['POST', '/logout'],
  ['GET', '/'],
  ['GET', '/api/nothing'],
] as const;

function codeOf(answer: Answer): [number, string] {
  return [answer.status, answer.json<ProblemAnswer>().code];
}

describe('who asks', () => {
  it.each(PATHS)('%s %s answers 401 without a token and with a wrong one', async (method, path) => {
    for (const authorization of [undefined, 'Bearer wrong', `Basic ${TOKEN}`, `Bearer ${TOKEN}x`, 'Bearer ', TOKEN]) {
      const answer = await management.ask(path, { method, headers: { authorization } });
      expect(codeOf(answer), String(authorization)).toEqual([401, 'unauthorized']);
      expect(answer.headers['www-authenticate']).toMatch(/^Bearer /);
      expect(answer.text).not.toContain(TOKEN);
    }
    expect(management.runtime.count('prepare')).toBe(0);
  });

  it('takes a new token at once, and no more the old one', async () => {
    management.token = 'another-token-that-is-long-enough';
    expect((await management.ask('/api/services')).status).toBe(200);
    expect((await management.ask('/api/services', { headers: { authorization: `Bearer ${TOKEN}` } })).status).toBe(401);
  });

  it('lets nobody in while there is no token', async () => {
    management.token = '';
    expect((await management.ask('/api/services', { headers: { authorization: 'Bearer x' } })).status).toBe(401);
  });
});

describe('from where', () => {
  it.each(['evil.test', 'proxy.alkimia.localhost.evil.test', 'localhost', '127.0.0.1', 'app.alkimia.localhost', 'a@b'])(
    'refuses the host %s',
    async (host) => {
      expect(codeOf(await management.ask('/api/health', { headers: { host } }))).toEqual([403, 'foreign_host']);
    },
  );

  it.each([`${ADMIN_HOST}:8443`, 'PROXY.alkimia.localhost', `${ADMIN_HOST}.`])('answers the host %s', async (host) => {
    expect((await management.ask('/api/services', { headers: { host } })).status).toBe(200);
  });

  it.each([
    'https://evil.test',
    'https://app.alkimia.localhost',
    `http://${ADMIN_HOST}`,
    `${OWN_ORIGIN}:1`,
    'null',
    '',
  ])('refuses the origin %s, also with the right token', async (origin) => {
    const answer = await management.post('/api/services/web/wake', undefined, { origin });
    expect(codeOf(answer)).toEqual([403, 'foreign_origin']);
    expect(management.runtime.count('prepare')).toBe(0);
  });

  it('takes its own origin, with the port that the client used', async () => {
    const headers = { origin: `${OWN_ORIGIN}:8443`, host: `${ADMIN_HOST}:8443` };
    expect((await management.ask('/api/services', { headers })).status).toBe(200);
  });

  it.each(['cross-site', 'same-site'])('refuses what a page of another site fetches (%s)', async (site) => {
    const headers = { 'sec-fetch-site': site, 'sec-fetch-mode': 'no-cors', 'sec-fetch-dest': 'image' };
    expect(codeOf(await management.ask('/api/services', { headers }))).toEqual([403, 'foreign_origin']);
  });
});

describe('sessions', () => {
  it('come from the token, in a cookie that no other host and no script can have', async () => {
    const headers = { ...ANONYMOUS, origin: OWN_ORIGIN, 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await management.post('/login', `token=${TOKEN}`, headers);
    expect([answer.status, answer.headers.location]).toEqual([303, '/']);
    const cookie = answer.headers['set-cookie']?.[0] ?? '';
    expect(cookie).toMatch(/^__Host-reveille=[\w-]{43}; Max-Age=43200; Path=\/; HttpOnly; Secure; SameSite=Strict$/);
    expect(cookie).not.toContain(TOKEN);
    const page = await management.ask('/', { headers: { ...ANONYMOUS, cookie: cookie.split(';')[0] } });
    expect(page.status).toBe(200);
  });

  it('are not opened by a wrong token', async () => {
    expect((await management.login('wrong')).cookie).toBe('');
  });

  it('end with the logout', async () => {
    const headers = await management.login();
    expect((await management.post('/logout', undefined, headers)).status).toBe(303);
    expect((await management.ask('/api/services', { headers })).status).toBe(401);
  });

  it('end when the token changes', async () => {
    const headers = await management.login();
    expect((await management.ask('/api/services', { headers })).status).toBe(200);
    management.token = 'another-token-that-is-long-enough';
    expect((await management.ask('/api/services', { headers })).status).toBe(401);
  });

  it('change nothing unless the request names our own origin', async () => {
    const own = await management.login();
    for (const origin of [undefined, 'https://app.alkimia.localhost']) {
      const answer = await management.post('/api/services/web/wake', undefined, { ...own, origin });
      expect(codeOf(answer)).toEqual([403, 'foreign_origin']);
    }
    expect(management.runtime.count('prepare')).toBe(0);
    expect((await management.post('/api/services/web/wake', undefined, own)).status).toBe(200);
  });

  it('do not make up for a wrong token', async () => {
    const headers = { ...(await management.login()), authorization: 'Bearer wrong' };
    expect((await management.ask('/api/services', { headers })).status).toBe(401);
  });
});

describe('how often', () => {
  it('answers 429 above 100 requests a minute and token, and says when to come back', async () => {
    const answers = await Promise.all(Array.from({ length: 105 }, () => management.ask('/api/services')));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused).toHaveLength(5);
    expect(refused[0]?.json<ProblemAnswer>().code).toBe('too_many_requests');
    expect(Number(refused[0]?.headers['retry-after'])).toBeGreaterThan(0);
  });

  it('counts those who guess by their address, and nobody else with them', async () => {
    const guess = (address: string) =>
      management.ask('/api/nothing', { headers: { authorization: 'Bearer guess', 'x-forwarded-for': address } });
    const answers = await Promise.all(Array.from({ length: 101 }, () => guess('198.51.100.7')));
    expect(answers.map(({ status }) => status).filter((status) => status === 429)).toHaveLength(1);
    expect((await guess('198.51.100.8')).status).toBe(401);
    expect((await management.ask('/api/services')).status).toBe(200);
  });

  it('believes the last address alone, which the proxy has written', async () => {
    const ask = (n: number) =>
      management.ask('/api/services', { headers: { ...ANONYMOUS, 'x-forwarded-for': `10.0.0.${n}, 198.51.100.7` } });
    const answers = await Promise.all(Array.from({ length: 101 }, (_, n) => ask(n)));
    expect(answers.filter(({ status }) => status === 429)).toHaveLength(1);
  });
});

describe('what leaves', () => {
  it('is framed by nobody, cached by nobody and loads nothing', async () => {
    const { headers } = await management.ask('/api/health');
    expect(headers).toMatchObject({
      'content-security-policy': "default-src 'none';frame-ancestors 'none'",
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'cross-origin-resource-policy': 'same-origin',
      'referrer-policy': 'same-origin',
    });
    expect(headers['access-control-allow-origin']).toBeUndefined();
    expect(headers['strict-transport-security']).toBeUndefined();
  });

  it('escapes what comes from outside', async () => {
    management.bus.emit('service.failed', '<script>alert(1)</script>', { detail: '"><img src=x>' });
    const page = await management.ask('/', { headers: { accept: 'text/html' } });
    expect(page.text).toContain('&lt;script&gt;alert(1)');
    expect(page.text).not.toContain('<img');
  });

  it('takes over the request id of the proxy, when it is one', async () => {
    const id = 'abc-123';
    expect((await management.ask('/api/nothing', { headers: { 'x-request-id': id } })).headers['x-request-id']).toBe(
      id,
    );
    const { headers } = await management.ask('/api/nothing', { headers: { 'x-request-id': '<b>' } });
    expect(headers['x-request-id']).toMatch(/^[\da-f-]{36}$/);
  });

  it('is 400 for what is not HTTP, and the server goes on', async () => {
    const text = await new Promise<string>((resolve) => {
      let received = '';
      const socket = connect(management.socketPath, () => socket.write('NONSENSE\r\n\r\n'));
      socket.on('data', (chunk) => (received += chunk.toString()));
      socket.on('close', () => resolve(received));
    });
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect((await management.ask('/api/health')).status).toBe(200);
  });
});
