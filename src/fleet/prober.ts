import type { Endpoint } from '../seam/fleet-view.ts';

export type ProbeResult = { readonly ok: true } | { readonly ok: false; readonly reason: string };

/** Asks an instance, over the network, whether it serves. Never rejects; the signal ends a probe that hangs. */
export interface Prober {
  /** A complete exchange of heads for GET `path`; ok when the status is below `below` (500 unless told). */
  http(endpoint: Endpoint, path: string, signal: AbortSignal, below?: number): Promise<ProbeResult>;
  /** A connection that is accepted. */
  tcp(endpoint: Endpoint, signal: AbortSignal): Promise<ProbeResult>;
}
