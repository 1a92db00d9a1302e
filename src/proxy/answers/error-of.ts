import { DispatchError } from '../../dispatch/errors.ts';
import { WakeFailed } from '../../seam/wake-failed.ts';
import type { ClientExchange } from '../exchange/client-exchange.ts';
import { UpstreamError } from '../forward/upstream-error.ts';
import { errorOfFailure, type Advice, type ProxyError } from './problem.ts';

/** What the client is told of what was thrown; undefined for what nobody expected. */
export function errorOf(error: unknown, service: string | undefined, nowEpochMs: number): ProxyError | undefined {
  if (error instanceof WakeFailed) return errorOfFailure(error.service, error.failure, nowEpochMs);
  if (error instanceof DispatchError) {
    const { code, message, retryAfterMs } = error;
    const retry = retryAfterMs === undefined ? {} : { retryAfterSeconds: retryAfterMs / 1000 };
    return { code, detail: message, service: error.service, ...retry };
  }
  if (error instanceof UpstreamError) {
    return { code: error.code, detail: error.message, ...(service !== undefined && { service }) };
  }
  return undefined;
}

export function unknownHost({ host, target }: ClientExchange): ProxyError {
  return { code: 'unknown_host', detail: `no service answers at ${host}${pathOf(target)}; check how it is written` };
}

export function adviceForUnknownHost(manifest: string, dashboardUrl: string): Advice {
  const text = `To have it answered, add it to the routes of a service in ${manifest}.`;
  return { text, link: { text: 'All services', url: dashboardUrl } };
}

function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}
