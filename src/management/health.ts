import { packageVersion } from '../lib/package-version.ts';
import { SERVICE_STATUSES, type HealthAnswer } from './contract.ts';
import type { ManagementTools } from './management-tools.ts';
import { plain } from './problem.ts';

/** How the daemon is. */
export function healthOf(tools: ManagementTools): HealthAnswer {
  const { fleet, store, clock, startedMs } = tools;
  const { kind, connected, dropped } = tools.mqttState();
  const services = countByStatus(tools);
  const runtime = conditionOf(fleet.runtime);
  const fallback = tools.runtimeNotice();
  const stored = conditionOf(store);
  const problems = [
    ...(runtime.up ? [] : [`the ${runtime.kind} runtime does not answer: ${runtime.reason ?? 'no reason known'}`]),
    ...(fallback === undefined ? [] : [plain(fallback)]),
    ...(stored.up ? [] : [`the ${stored.kind} store takes nothing: ${stored.reason ?? 'no reason known'}`]),
    ...(connected ? [] : [`the ${kind} MQTT broker is not connected`]),
    ...(services.failed > 0 ? [`${services.failed} of the services failed`] : []),
    ...(services.degraded > 0
      ? [`${services.degraded} of the services serve with fewer instances than they should`]
      : []),
  ];
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    version: packageVersion(),
    uptimeSeconds: Math.floor((clock.now() - startedMs) / 1000),
    runtime: { ...runtime, ...(fallback !== undefined && { fallback: plain(fallback) }) },
    store: stored,
    mqtt: { kind, connected, dropped },
    services,
    problems,
  };
}

interface Conditional<Kind> {
  readonly kind: Kind;
  readonly condition: { readonly up: true } | { readonly up: false; readonly reason: string };
}

function conditionOf<Kind>({ kind, condition }: Conditional<Kind>): { kind: Kind; up: boolean; reason?: string } {
  return condition.up ? { kind, up: true } : { kind, up: false, reason: plain(condition.reason) };
}

function countByStatus({ fleet }: ManagementTools): HealthAnswer['services'] {
  const members = fleet.members();
  const counts = SERVICE_STATUSES.map((status) => [status, members.filter((one) => one.status === status).length]);
  return Object.fromEntries(counts) as HealthAnswer['services'];
}
