import { parsedBy, Unacceptable } from '../parsed-type.ts';

function parsePort(value: unknown, lowest: number): number {
  // Only plain digits: '0x50', '1e3' and ' 80' are numbers to JavaScript but nobody's port.
  const number = typeof value === 'string' && /^\d{1,5}$/.test(value) ? Number(value) : value;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < lowest || number > 65535) {
    throw new Unacceptable(`must be a port: a whole number from ${lowest} to 65535`);
  }
  return number;
}

/** A port that something listens on; '3000', as an environment variable has it, is 3000. */
export const port = parsedBy((value) => parsePort(value, 1));

/** A port of our own to listen on; 0 lets the system choose. */
export const listenPort = parsedBy((value) => parsePort(value, 0));
