import type { ClientExchange } from '../exchange/client-exchange.ts';
import { FieldNames } from '../exchange/field-names.ts';

/** Who says where a request came from. */
const FORWARDED_FIELDS = new FieldNames(
  'forwarded x-forwarded-for x-forwarded-proto x-forwarded-host x-forwarded-port x-forwarded-server x-forwarded-ssl x-real-ip',
);

/** Also true for spellings with '_': many application servers take them for the same field. */
export function isForwardedField(name: string): boolean {
  return FORWARDED_FIELDS.has(name) || (name.includes('_') && FORWARDED_FIELDS.has(name.replaceAll('_', '-')));
}

/** Our own word on where the request came from; a trusted peer's word is kept and added to (RFC 7239). */
export function forwardedFields(exchange: ClientExchange, trusted: boolean): string[] {
  const { authority, secure } = exchange;
  const address = plainAddress(exchange.remoteAddress);
  const proto = secure ? 'https' : 'http';
  const node = address.includes(':') ? `"[${address}]"` : address;
  const element = `for=${node};host="${authority}";proto=${proto}`;
  const port = portOf(authority, secure);
  if (trusted) return addedToGiven(exchange, { address, proto, element, port });
  return [
    ...['X-Forwarded-For', address, 'X-Forwarded-Proto', proto, 'X-Forwarded-Host', authority],
    ...['X-Forwarded-Port', port, 'Forwarded', element, 'X-Real-IP', address],
  ];
}

type Origin = Readonly<Record<'address' | 'proto' | 'element' | 'port', string>>;

function addedToGiven(exchange: ClientExchange, { address, proto, element, port }: Origin): string[] {
  const given = (name: string): string | undefined => exchange.header(name);
  const appended = (name: string, value: string): string => {
    const before = given(name);
    return before === undefined || before === '' ? value : `${before}, ${value}`;
  };
  return [
    ...['X-Forwarded-For', appended('x-forwarded-for', address)],
    ...['X-Forwarded-Proto', given('x-forwarded-proto') ?? proto],
    ...['X-Forwarded-Host', given('x-forwarded-host') ?? exchange.authority],
    ...['X-Forwarded-Port', given('x-forwarded-port') ?? port],
    ...['Forwarded', appended('forwarded', element), 'X-Real-IP', given('x-real-ip') ?? address],
  ];
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
