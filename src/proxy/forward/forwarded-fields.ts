import type { ClientExchange } from '../exchange/client-exchange.ts';

/** Who says where a request came from; lower case. */
const FORWARDED_FIELDS = new Set(
  'forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-server x-forwarded-ssl x-real-ip'.split(
    ' ',
  ),
);

/** Also true for spellings with '_': many application servers take them for the same field. */
export function isForwardedField(name: string): boolean {
  return FORWARDED_FIELDS.has(name) || (name.includes('_') && FORWARDED_FIELDS.has(name.replaceAll('_', '-')));
}

/** Our own word on where the request came from, as lines; a trusted peer's word is kept and added to (RFC 7239). */
export function forwardedLines(exchange: ClientExchange, trusted: boolean): string {
  const { authority, secure } = exchange;
  const address = plainAddress(exchange.remoteAddress);
  const proto = secure ? 'https' : 'http';
  const node = address.includes(':') ? `"[${address}]"` : address;
  const element = `for=${node};host="${authority}";proto=${proto}`;
  if (trusted) return trustedLines(exchange, address, proto, element);
  return (
    `X-Forwarded-For: ${address}\r\nX-Forwarded-Proto: ${proto}\r\nX-Forwarded-Host: ${authority}\r\n` +
    `X-Forwarded-Port: ${portOf(authority, secure)}\r\nForwarded: ${element}\r\nX-Real-IP: ${address}\r\n`
  );
}

function trustedLines(exchange: ClientExchange, address: string, proto: string, element: string): string {
  const { authority, secure } = exchange;
  const given = (name: string): string | undefined => exchange.header(name);
  const appended = (name: string, value: string): string => {
    const before = given(name);
    return before === undefined || before === '' ? value : `${before}, ${value}`;
  };
  return (
    `X-Forwarded-For: ${appended('x-forwarded-for', address)}\r\n` +
    `X-Forwarded-Proto: ${given('x-forwarded-proto') ?? proto}\r\n` +
    `X-Forwarded-Host: ${given('x-forwarded-host') ?? authority}\r\n` +
    `X-Forwarded-Port: ${given('x-forwarded-port') ?? portOf(authority, secure)}\r\n` +
    `Forwarded: ${appended('forwarded', element)}\r\nX-Real-IP: ${given('x-real-ip') ?? address}\r\n`
  );
}

/** An IPv4 client on a dual-stack socket shows as IPv6. */
function plainAddress(address: string): string {
  return address.startsWith('::ffff:') && address.includes('.') ? address.slice(7) : address;
}

function portOf(authority: string, secure: boolean): string {
  const colon = authority.lastIndexOf(':');
  const port = colon > authority.lastIndexOf(']') ? authority.slice(colon + 1) : '';
  if (port !== '') return port;
  return secure ? '443' : '80';
}
