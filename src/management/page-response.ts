import { randomBytes } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ProblemAnswer } from './contract.ts';
import { loginPage } from './pages/login-page.ts';
import { problemPage } from './pages/problem-page.ts';

/** A browser that shows what it gets to a person; the API speaks JSON to everyone. */
export function wantsPage({ url, headers }: FastifyRequest): boolean {
  return !url.startsWith('/api/') && (headers.accept?.includes('text/html') ?? false);
}

/** Answers with a page that may load nothing from anywhere, runs only what carries its nonce, and stands in no frame. */
export function respondWithPage(reply: FastifyReply, status: number, render: (nonce: string) => string): FastifyReply {
  const nonce = randomBytes(16).toString('base64url');
  const policy = [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "form-action 'self'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
  ];
  return reply
    .code(status)
    .header('content-security-policy', policy.join('; '))
    .header('content-type', 'text/html; charset=utf-8')
    .send(render(nonce));
}

/** Who is not known is asked for the token, everybody else told what went wrong. */
export function respondWithErrorPage(reply: FastifyReply, problem: ProblemAnswer): FastifyReply {
  const { status } = problem;
  if (status === 401) return respondWithPage(reply, status, (nonce) => loginPage({ nonce, refused: false }));
  return respondWithPage(reply, status, (nonce) => problemPage(problem, nonce));
}
