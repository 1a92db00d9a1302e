import type { ClientSaw } from '../clients/client-saw.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import type { CaseRecord } from '../upstreams/case-book.ts';
import { requestDeviation } from './request-deviation.ts';
import { responseDeviation } from './response-deviation.ts';

/** What a proxy that only passes on must have done in an exchange, and did not; undefined when all is as planned. */
export function exchangeDeviation(plan: ExchangePlan, saw: ClientSaw, { requests }: CaseRecord): string | undefined {
  const found = clientFault(saw) ?? requestDeviation(plan, saw, requests) ?? responseDeviation(plan, saw);
  return found === undefined ? undefined : `${found}; ${described(saw, requests)}`;
}

/** What is wrong whatever was planned. */
export function clientFault(saw: ClientSaw): string | undefined {
  if (saw.fault !== undefined) return `the client cannot read: ${saw.fault}`;
  return saw.hangs ? 'the client waits for ever' : undefined;
}

function described(saw: ClientSaw, requests: CaseRecord['requests']): string {
  const upstream = requests.map(({ content, complete }) => `${content.length} bytes${complete ? '' : ' (cut)'}`);
  const end = saw.left ? 'left' : saw.complete ? 'complete' : 'cut';
  const own = saw.status !== undefined && saw.status >= 400 ? ` ${saw.content.slice(0, 300)}` : '';
  return `upstream: ${upstream.join(', ')}; client: ${String(saw.status)}, ${saw.content.length} bytes, ${end}${own}`;
}
