import type { ClientSaw } from '../clients/client-saw.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import type { CaseRecord } from '../upstreams/case-book.ts';
import { requestDeviation } from './request-deviation.ts';
import { responseDeviation } from './response-deviation.ts';

/** What a proxy that only passes on must have done in an exchange, and did not; undefined when all is as planned. */
export function exchangeDeviation(plan: ExchangePlan, saw: ClientSaw, { requests }: CaseRecord): string | undefined {
  return clientFault(saw) ?? requestDeviation(plan, saw, requests) ?? responseDeviation(plan, saw);
}

/** What is wrong whatever was planned. */
export function clientFault(saw: ClientSaw): string | undefined {
  if (saw.fault !== undefined) return `the client cannot read: ${saw.fault}`;
  return saw.hangs ? 'the client waits for ever' : undefined;
}
