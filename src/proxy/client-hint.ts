import { isIPv6 } from 'node:net';
import type { ClientExchange } from './exchange/client-exchange.ts';

const MAX_PRODUCT_LENGTH = 40;

/** Which client it may be, for people: the network it comes from, and what it calls itself first. Never enough to be it. */
export function clientHintOf(exchange: Pick<ClientExchange, 'remoteAddress' | 'header'>): string {
  const product = /^[!-~]+/.exec(exchange.header('user-agent') ?? '')?.[0] ?? '';
  return `${networkOf(exchange.remoteAddress)} ${product.slice(0, MAX_PRODUCT_LENGTH)}`.trimEnd();
}

function networkOf(address: string): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/, '');
  if (isIPv6(plain)) return `${plain.split(':').slice(0, 3).join(':')}::/48`;
  return plain.replace(/\.\d+$/, '.0/24');
}
