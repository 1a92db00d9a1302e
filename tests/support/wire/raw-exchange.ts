import { BytePeer } from './byte-peer.ts';

/** Sends one request and returns all that comes until the server closes or, with `until`, until that has come. */
export async function rawExchange(port: number, request: string, until?: RegExp | string): Promise<string> {
  const client = await BytePeer.tcp(port);
  client.send(request);
  try {
    return until === undefined ? await client.untilClosed() : await client.receive(until);
  } finally {
    client.destroy();
  }
}

export function bodyOf(message: string): string {
  return message.slice(message.indexOf('\r\n\r\n') + 4);
}

export function headOf(message: string): string {
  return message.slice(0, message.indexOf('\r\n\r\n') + 2);
}

/** The values of a field in a head, in their order. */
export function valuesIn(head: string, name: string): string[] {
  return head
    .split('\r\n')
    .filter((line) => line.toLowerCase().startsWith(`${name.toLowerCase()}:`))
    .map((line) => line.slice(name.length + 1).trim());
}
