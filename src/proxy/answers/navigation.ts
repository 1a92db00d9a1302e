import type { ClientExchange } from '../exchange/client-exchange.ts';

const HTML = new Set(['text/html', 'application/xhtml+xml']);

/**
 * Whether a person looks at the answer in a browser, so that a page serves better than JSON.
 * Only GET: a form that was sent must reach the service, not a page that comes back by itself.
 * Browsers say it in `Sec-Fetch-Mode`, which scripts cannot forge; only in its absence `Accept` decides.
 */
export function isNavigation(exchange: Pick<ClientExchange, 'method' | 'header'>): boolean {
  if (exchange.method !== 'GET') return false;
  const mode = exchange.header('sec-fetch-mode');
  if (mode !== undefined) return mode.trim().toLowerCase() === 'navigate';
  return prefersHtml(exchange.header('accept') ?? '');
}

/**
 * Whether HTML is named and wanted at least as much as anything else (RFC 9110 section 12.5.1); among equals the first counts.
 * Wildcards never mean HTML: API clients send them.
 */
function prefersHtml(accept: string): boolean {
  let best = { type: '', q: 0 };
  for (const range of accept.split(',')) {
    const [type = '', ...parameters] = range.split(';').map((part) => part.trim().toLowerCase());
    const q = quality(parameters);
    if (q > best.q) best = { type, q };
  }
  return HTML.has(best.type);
}

/** The weight of a media range, 0 to 1; one that cannot be read counts as unwanted. */
function quality(parameters: readonly string[]): number {
  const weight = parameters.find((parameter) => /^q\s*=/.test(parameter));
  if (weight === undefined) return 1;
  const value = weight.slice(weight.indexOf('=') + 1).trim();
  return /^(?:0(?:\.\d{0,3})?|1(?:\.0{0,3})?)$/.test(value) ? Number(value) : 0;
}
