import type { TlsOptions } from 'node:tls';

export interface CertificateMaterial {
  /** PEM: the certificate and those between it and its root. */
  readonly cert: string | Buffer;
  /** PEM. */
  readonly key: string | Buffer;
}

/** Forward secrecy and authenticated encryption only; the first three are those of TLS 1.3. */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/**
 * By preference. Chosen by a function: of a list Node makes a copy for every connection, of a few bytes, but they lie in
 * the pool of all buffers and keep 8 KB of it as long as the connection is open.
 */
const PROTOCOLS = ['h2', 'http/1.1'];

const KEEP_ALIVE_PROBE_MS = 60_000;

/** How TLS is spoken; the same for every address and for a renewed certificate. */
export function tlsServerOptions({ cert, key }: CertificateMaterial, ticketKeys: Buffer): TlsOptions {
  return {
    cert,
    key,
    ticketKeys,
    ALPNCallback: ({ protocols }) => PROTOCOLS.find((each) => protocols.includes(each)),
    minVersion: 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: true,
    // Connections resumed in another process must find the same context id there.
    sessionIdContext: 'reveille',
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: KEEP_ALIVE_PROBE_MS,
  };
}
