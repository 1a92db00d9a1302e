import type { HttpProbeOptions, Prober, ProbeResult } from '../../../src/fleet/prober.ts';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';

export interface ProbeCall {
  readonly kind: 'http' | 'tcp';
  readonly endpoint: Endpoint;
  readonly path?: string;
  readonly below?: number;
  readonly options?: HttpProbeOptions;
}

type Script = (call: ProbeCall, signal: AbortSignal) => ProbeResult | Promise<ProbeResult> | undefined;

/** A prober for which everything serves, except what a test says does not. */
export class ScriptedProber implements Prober {
  readonly calls: ProbeCall[] = [];
  readonly #refused = new Set<string>();
  /** Asked first; undefined leaves the answer to `refuse` and `accept`. */
  script: Script = () => undefined;

  /** The services whose readiness path names them no longer pass. */
  refuse(...services: readonly string[]): void {
    for (const name of services) this.#refused.add(`/${name}`);
  }

  accept(...services: readonly string[]): void {
    for (const name of services) this.#refused.delete(`/${name}`);
  }

  http(
    endpoint: Endpoint,
    path: string,
    signal: AbortSignal,
    below?: number,
    options?: HttpProbeOptions,
  ): Promise<ProbeResult> {
    const call = { kind: 'http' as const, endpoint, path };
    return this.#answer({ ...call, ...(below !== undefined && { below }), ...(options && { options }) }, signal);
  }

  tcp(endpoint: Endpoint, signal: AbortSignal): Promise<ProbeResult> {
    return this.#answer({ kind: 'tcp', endpoint }, signal);
  }

  #answer(call: ProbeCall, signal: AbortSignal): Promise<ProbeResult> {
    this.calls.push(call);
    const refused = call.path !== undefined && this.#refused.has(call.path);
    return Promise.resolve(this.script(call, signal) ?? (refused ? { ok: false, reason: 'refused' } : { ok: true }));
  }
}

/** A probe that nothing answers: it fails when it is given up. */
export function silence(signal: AbortSignal): Promise<ProbeResult> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve({ ok: false, reason: 'no answer in time' }), { once: true });
  });
}
