/** What Via says of us (RFC 9110 7.6.3), for each version that a message was received in. */
export type Via = Readonly<Record<'1.0' | '1.1' | '2.0', string>>;

/** @param name how we call ourselves */
export function viaOf(name: string): Via {
  return { '1.0': `1.0 ${name}`, '1.1': `1.1 ${name}`, '2.0': `2.0 ${name}` };
}
