import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { messageOf } from '../lib/coded-error.ts';
import { isToken, SESSION_COOKIE } from './auth.ts';
import { healthOf, problemsOfParts } from './health.ts';
import type { ManagementTools } from './management-tools.ts';
import { respondWithPage } from './page-response.ts';
import { loginPage } from './pages/login-page.ts';
import { statusPage } from './pages/status-page.ts';
import { parseInput } from './request-input.ts';
import { SESSION_LIFETIME_MS } from './sessions.ts';
import { eventAnswer, serviceAnswer } from './views.ts';

interface ByName {
  Params: { name: string };
}

const FORM = 'application/x-www-form-urlencoded';
const loginBody = z.object({ token: z.string('must be given').max(1_000, 'is too long') });
const COOKIE = { path: '/', httpOnly: true, secure: true, sameSite: 'strict' } as const;
const EVENTS_SHOWN = 12;

/** The status page and what its forms post to; they work without a script too. */
export function pageRoutes(app: FastifyInstance, tools: ManagementTools): void {
  const { fleet, log, clock, sessions, history } = tools;
  app.addContentTypeParser(FORM, { parseAs: 'string', bodyLimit: 4_096 }, (_request, body, done) => {
    done(null, Object.fromEntries(new URLSearchParams(body as string)));
  });

  app.get('/', (_request, reply) => {
    const services = fleet.members().map((member) => serviceAnswer(member, tools));
    const events = history.last(EVENTS_SHOWN).map(eventAnswer).reverse();
    const parts = { health: healthOf(tools, true), problems: problemsOfParts(tools, true) };
    const content = { services, events, ...parts, nowEpochMs: clock.epochMs() };
    return respondWithPage(reply, 200, (nonce) => statusPage(content, nonce));
  });

  app.post<ByName>('/services/:name/wake', ({ params }, reply) => {
    const service = fleet.managed(params.name);
    // The page shows how it goes on, and the failure if there is one.
    service.wake('operator').catch((error: unknown) => {
      log.debug({ service: service.name }, `the wake failed: ${messageOf(error)}`);
    });
    return reply.redirect('/', 303);
  });

  app.post<ByName>('/services/:name/sleep', ({ params }, reply) => {
    const service = fleet.managed(params.name);
    service.sleep('operator', 'stop').catch((error: unknown) => {
      log.warn({ service: service.name, err: error }, `${service.name} could not be put to sleep: ${messageOf(error)}`);
    });
    return reply.redirect('/', 303);
  });

  app.post('/login', { config: { open: true } }, ({ body }, reply) => {
    const { token } = parseInput(loginBody, body);
    if (!isToken(token.trim(), tools.token())) {
      return respondWithPage(reply, 401, (nonce) => loginPage({ nonce, refused: true }));
    }
    const maxAge = SESSION_LIFETIME_MS / 1000;
    return reply.setCookie(SESSION_COOKIE, sessions.open(), { ...COOKIE, maxAge }).redirect('/', 303);
  });

  app.post('/logout', ({ cookies }, reply) => {
    sessions.end(cookies[SESSION_COOKIE] ?? '');
    return reply.clearCookie(SESSION_COOKIE, COOKIE).redirect('/', 303);
  });

  app.get('/login', { config: { open: true } }, (_request, reply) => reply.redirect('/', 303));
}
