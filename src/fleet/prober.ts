import type { Endpoint } from '../seam/fleet-view.ts';

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface HttpProbeOptions {
  /** The Host field (or `:authority`); the endpoint's own address when absent. */
  readonly host?: string;
  /** `h2c` is HTTP/2 without TLS from the first byte (RFC 9113 section 3.3); `http` when absent. */
  readonly protocol?: 'http' | 'h2c';
}

/** Asks an instance, over the network, whether it serves. Never rejects; the signal ends a probe that hangs. */
export interface Prober {
  /** A complete exchange of heads for GET `path`; ok when the status is below `below` (500 unless told). */
  http(
    endpoint: Endpoint,
    path: string,
    signal: AbortSignal,
    below?: number,
    options?: HttpProbeOptions,
  ): Promise<ProbeResult>;
  /** A connection that is accepted. */
  tcp(endpoint: Endpoint, signal: AbortSignal): Promise<ProbeResult>;
}
