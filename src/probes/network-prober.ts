import { connect } from 'node:net';
import { messageOf } from '../lib/coded-error.ts';
import { localhostLookup } from '../lib/localhost-lookup.ts';
import type { HttpProbeOptions, Prober, ProbeResult } from '../fleet/prober.ts';
import type { Endpoint } from '../seam/fleet-view.ts';
import { askH2c } from './ask-h2c.ts';
import { askHttp, type Answer } from './ask-http.ts';

/** Probes over real sockets, a new one for each attempt: a kept one would prove only that it was kept. */
export class NetworkProber implements Prober {
  http(
    endpoint: Endpoint,
    path: string,
    signal: AbortSignal,
    below = 500,
    { host = authorityOf(endpoint), protocol = 'http' }: HttpProbeOptions = {},
  ): Promise<ProbeResult> {
    const ask = protocol === 'h2c' ? askH2c : askHttp;
    return attempt(signal, (settle) => {
      const judged = (answer: Answer): void => settle(typeof answer === 'number' ? judge(answer, path, below) : answer);
      return ask({ endpoint, path, host }, judged);
    });
  }

  tcp({ host, port }: Endpoint, signal: AbortSignal): Promise<ProbeResult> {
    return attempt(signal, (settle) => {
      const socket = connect({ host, port, lookup: localhostLookup });
      socket.once('connect', () => {
        settle({ ok: true });
        socket.destroy();
      });
      socket.on('error', (error) => settle({ ok: false, reason: `connection failed: ${error.message}` }));
      return () => socket.destroy();
    });
  }
}

/** Begins something that settles once, and returns the function that takes it back. */
type Attempt = (settle: (result: ProbeResult) => void) => () => void;

/** Runs an attempt until it settles or the signal aborts; after the signal nothing of it is left. */
function attempt(signal: AbortSignal, begin: Attempt): Promise<ProbeResult> {
  if (signal.aborted) return Promise.resolve(noAnswer());
  return new Promise((resolve) => {
    let end: (() => void) | undefined;
    const settle = (result: ProbeResult): void => {
      signal.removeEventListener('abort', onAbort);
      resolve(result);
      // A probe that failed or was taken back leaves no socket; one that succeeded ends its own after a polite moment.
      if (!result.ok) end?.();
    };
    const onAbort = (): void => settle(noAnswer());
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      end = begin(settle);
    } catch (error) {
      settle({ ok: false, reason: messageOf(error) });
    }
  });
}

function judge(status: number, path: string, below: number): ProbeResult {
  return status < below ? { ok: true } : { ok: false, reason: `GET ${path} was answered ${status}` };
}

function noAnswer(): ProbeResult {
  return { ok: false, reason: 'no complete answer in time' };
}

function authorityOf({ host, port }: Endpoint): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
