import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';

const { PORT, UPSTREAM_PORT, ECHO_PORT, CERT = '', KEY = '' } = process.env;

/** What each program here is told by the bench. */
export const settings = {
  port: Number(PORT),
  upstreamPort: Number(UPSTREAM_PORT),
  upstream: `http://127.0.0.1:${UPSTREAM_PORT}`,
  echo: `http://127.0.0.1:${ECHO_PORT}`,
  tls: { cert: readFileSync(CERT), key: readFileSync(KEY), minVersion: /** @type {const} */ ('TLSv1.3') },
  /** Without it both libraries make a new connection for every request. */
  agent: new Agent({ keepAlive: true }),
};
