import type { ClientExchange } from './client-exchange.ts';

const COUNT = /^[0-9]{1,9}$/;

/** How many proxies an OPTIONS or TRACE may still pass; undefined for everything else (RFC 9110 section 7.6.2). */
export function maxForwards(exchange: ClientExchange): number | undefined {
  if (exchange.method !== 'OPTIONS' && exchange.method !== 'TRACE') return undefined;
  const value = exchange.header('max-forwards');
  return value !== undefined && COUNT.test(value) ? Number(value) : undefined;
}
