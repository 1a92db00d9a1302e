import { randomBytes } from 'node:crypto';
import type { ServiceView } from '../../seam/fleet-view.ts';
import type { ClientExchange, RawHeaders } from '../exchange/client-exchange.ts';
import { waitingPage } from './pages/waiting-page.ts';

export interface WaitingPageOptions {
  /** Whether log lines and details may be shown. */
  readonly development: boolean;
  readonly nowEpochMs: number;
  /** Something that everyone who waits should know, such as that no container engine answers. */
  readonly notice?: string;
}

/** Answers a browser whose service is still waking. The page goes to the service by itself. */
export function respondWithWaitingPage(exchange: ClientExchange, view: ServiceView, options: WaitingPageOptions): void {
  const { requestId } = exchange;
  respondWithPage(exchange, 503, ['retry-after', '1'], (nonce) => waitingPage(view, { ...options, requestId, nonce }));
}

/** Answers with a page that may load nothing from anywhere and run only what carries its nonce. */
export function respondWithPage(
  exchange: ClientExchange,
  status: number,
  headers: RawHeaders,
  render: (nonce: string) => string,
): void {
  const nonce = randomBytes(16).toString('base64url');
  const pageHeaders = [
    'content-type',
    'text/html; charset=utf-8',
    'content-security-policy',
    contentSecurityPolicy(nonce),
  ];
  pageHeaders.push('cache-control', 'no-store', 'x-content-type-options', 'nosniff', 'x-robots-tag', 'noindex');
  exchange.respond(status, [...headers, ...pageHeaders], render(nonce));
}

/** Framing is left to the service: where its pages may stand in a frame, the page that stands in for it must be able to as well. */
function contentSecurityPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    `style-src 'nonce-${nonce}'`,
    `script-src 'nonce-${nonce}'`,
    "connect-src 'self'",
    'img-src data:',
    "base-uri 'none'",
    "form-action 'none'",
  ].join('; ');
}
