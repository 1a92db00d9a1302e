import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/**
 * Below what the systems hand out by themselves (Linux from 32768, others from 49152): a port chosen there could be
 * taken by any outgoing connection between our look at it and the moment when the service listens.
 */
const FIRST_PORT = 20_000;
const LAST_PORT = 32_767;
const MAX_TRIES = 200;

/** A port that nobody listens on, on any address, and that is not in `reserved`. */
export async function freePort(reserved: ReadonlySet<number> = new Set()): Promise<number> {
  for (let tries = 0; tries < MAX_TRIES; tries += 1) {
    const port = randomInt(FIRST_PORT, LAST_PORT + 1);
    if (!reserved.has(port) && (await isFree(port))) return port;
  }
  throw new Error(`no free port was found between ${FIRST_PORT} and ${LAST_PORT}`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    // Without an address it is every address, as a service may ask for.
    server.listen({ port, exclusive: true }, () => server.close(() => resolve(true)));
  });
}
