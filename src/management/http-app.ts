import { randomUUID } from 'node:crypto';
import type { Socket } from 'node:net';
import cookie from '@fastify/cookie';
import helmet from '@fastify/helmet';
import rateLimit from '@fastify/rate-limit';
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { actionRoutes } from './action-routes.ts';
import { principalOf } from './auth.ts';
import { healthRoutes } from './health-routes.ts';
import { refuseForeign } from './host-guard.ts';
import type { ManagementTools } from './management-tools.ts';
import { metricsRoutes } from './metrics-routes.ts';
import { pageRoutes } from './page-routes.ts';
import { respondWithErrorPage, wantsPage } from './page-response.ts';
import { answerTo, ApiProblem } from './problem.ts';
import { serviceRoutes } from './service-routes.ts';
import { sessionRoutes } from './session-routes.ts';
import { streamRoutes } from './stream-routes.ts';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Answered without a token. */
    open?: boolean;
  }
}

const BODY_LIMIT_BYTES = 64 * 1024;
const REQUESTS_PER_MINUTE = 100;

/**
 * The life of a request: foreign hosts and origins are refused, then it is counted, then it must show who asks; only
 * then is its body read.
 */
export async function createHttpApp(tools: ManagementTools): Promise<FastifyInstance> {
  const { trustedPeer = () => false } = tools;
  const app = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    // The first peer is our own proxy, or the CLI; whom to believe beyond that, the proxy has decided.
    trustProxy: (address, hop) => hop === 0 || trustedPeer(address),
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    routerOptions: { maxParamLength: 200 },
    frameworkErrors: (error, request, reply) => void respondWithProblem(error, request, reply, tools),
    clientErrorHandler: refuseMalformed,
  });
  app.setErrorHandler((error, request, reply) => respondWithProblem(error, request, reply, tools));
  app.addHook('onRequest', (request, reply, done) => {
    void reply.header('x-request-id', request.id).header('cache-control', 'no-store');
    done();
  });
  await app.register(cookie, { hook: 'onRequest' });
  await app.register(helmet, securityHeaders(tools.development));
  app.addHook('onRequest', (request, _reply, done) => {
    refuseForeign(request, tools.adminHost);
    done();
  });
  await app.register(rateLimit, limits(tools));
  app.addHook('preParsing', (request, _reply, payload, done) => {
    if (!request.is404 && !request.routeOptions.config.open) requirePrincipal(request, tools);
    done(null, payload);
  });
  // What is neither JSON nor a form is refused (415).
  app.removeContentTypeParser('text/plain');
  for (const routes of [
    healthRoutes,
    metricsRoutes,
    serviceRoutes,
    sessionRoutes,
    actionRoutes,
    streamRoutes,
    pageRoutes,
  ])
    routes(app, tools);
  // A route like any other, so that guesses at tokens are counted here too.
  app.all('/*', refuseUnknown);
  // Methods that no route can have, such as PROPFIND.
  app.setNotFoundHandler(refuseUnknown);
  await app.ready();
  return app;
}

function refuseUnknown({ method, url }: FastifyRequest): never {
  throw new ApiProblem(404, 'not_found', `There is no ${method} ${url.slice(0, 200)}.`);
}

function limits(tools: ManagementTools): Parameters<typeof rateLimit>[1] {
  return {
    max: REQUESTS_PER_MINUTE,
    timeWindow: 60_000,
    keyGenerator: (request) => principalOf(request, tools)?.key ?? `address ${addressOf(request)}`,
    errorResponseBuilder: (_request, { ttl }) => {
      const retryAfterSeconds = Math.max(1, Math.ceil(ttl / 1000));
      const detail = `More than ${REQUESTS_PER_MINUTE} requests in a minute; come back in ${retryAfterSeconds} s.`;
      return new ApiProblem(429, 'too_many_requests', detail, { retryAfterSeconds });
    },
  };
}

/** Undefined for who connects to the socket itself. */
function addressOf({ ip }: { readonly ip?: string }): string {
  return ip ?? 'local';
}

function requirePrincipal(request: FastifyRequest, tools: ManagementTools): void {
  if (principalOf(request, tools)) return;
  const how = 'send `Authorization: Bearer TOKEN`; the token is ADMIN_TOKEN, or in the file admin-token of STATE_DIR';
  const given = request.headers.authorization !== undefined;
  throw new ApiProblem(401, 'unauthorized', given ? `This token is not the right one: ${how}.` : `Who asks? ${how}.`);
}

function respondWithProblem(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  { log, clock }: ManagementTools,
): FastifyReply {
  const { problem, retryAfterSeconds } = answerTo(error, request.id, clock.epochMs());
  const { status, code, detail } = problem;
  const facts = { requestId: request.id, method: request.method, path: request.url.split('?')[0], status, code };
  if (status >= 500 && code === 'internal') log.error({ ...facts, err: error }, 'a management request failed');
  else log.debug(facts, `a management request was refused: ${detail}`);
  if (status === 401) void reply.header('www-authenticate', 'Bearer realm="reveille"');
  if (retryAfterSeconds !== undefined) void reply.header('retry-after', retryAfterSeconds);
  if (wantsPage(request)) return respondWithErrorPage(reply, problem);
  // As bytes, lest a charset be added, which JSON has none of (RFC 8259 section 8.1).
  const body = Buffer.from(JSON.stringify(problem));
  return reply.code(status).header('content-type', 'application/problem+json').send(body);
}

/** The id that the proxy has given, so that both logs speak of the same request. */
function requestIdOf(given: string | string[] | undefined): string {
  return typeof given === 'string' && /^[\w.:-]{1,100}$/.test(given) ? given : randomUUID();
}

/** What is not HTTP. */
function refuseMalformed(_error: Error, socket: Socket): void {
  if (!socket.writable) socket.destroy();
  else socket.end('HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n');
}

function securityHeaders(development: boolean): Parameters<typeof helmet>[1] {
  return {
    // Pages, which have styles and a script, widen it for themselves.
    contentSecurityPolicy: {
      useDefaults: false,
      directives: { 'default-src': ["'none'"], 'frame-ancestors': ["'none'"] },
    },
    // With `no-referrer` browsers would hide the origin of our own forms too.
    referrerPolicy: { policy: 'same-origin' },
    frameguard: { action: 'deny' },
    // A development certificate that is not trusted yet must be able to be clicked away.
    hsts: development ? false : { maxAge: 31_536_000, includeSubDomains: false },
  };
}
