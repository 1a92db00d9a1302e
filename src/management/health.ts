import { oneLine } from '../lib/one-line.ts';
import { packageVersion } from '../lib/package-version.ts';
import type { RefusedEdit } from '../config/refused-edit.ts';
import { SERVICE_STATUSES } from '../seam/fleet-view.ts';
import type { HealthAnswer } from './contract.ts';
import type { ManagementTools } from './management-tools.ts';
import { plain } from './problem.ts';

/** Characters. */
const MAX_REFUSAL_LENGTH = 500;

/**
 * How the daemon is.
 * @param trusted whether who asks may hear what the configuration says
 */
export function healthOf(tools: ManagementTools, trusted: boolean): HealthAnswer {
  const { fleet, store, clock, startedMs } = tools;
  const mqtt = tools.mqttState();
  const { up: connected, ...mqttCondition } = conditionOf(mqtt);
  const services = countByStatus(tools);
  const fallback = tools.runtimeNotice();
  const problems = [...problemsOfParts(tools, trusted), ...problemsOfServices(services)];
  return {
    status: problems.length === 0 ? 'ok' : 'degraded',
    version: packageVersion(),
    uptimeSeconds: Math.floor((clock.now() - startedMs) / 1000),
    runtime: { ...conditionOf(fleet.runtime), ...(fallback !== undefined && { fallback: plain(fallback) }) },
    store: conditionOf(store),
    mqtt: { ...mqttCondition, connected, dropped: mqtt.dropped },
    services,
    ...(tools.proxies && { proxies: tools.proxies() }),
    problems,
  };
}

/** What is wrong with what the daemon itself works with. */
export function problemsOfParts(tools: ManagementTools, trusted: boolean): string[] {
  const { fleet, store, mqttState, runtimeNotice, proxies, refusedEdits } = tools;
  const mqtt = mqttState();
  const fallback = runtimeNotice();
  const away = ({ condition }: Conditional<string>, what: string): string[] =>
    condition.up ? [] : [`${what}: ${plain(condition.reason)}`];
  return [
    ...away(fleet.runtime, `the ${fleet.runtime.kind} runtime does not answer`),
    ...(fallback === undefined ? [] : [plain(fallback)]),
    ...away(store, `the ${store.kind} store takes nothing`),
    ...away(mqtt, `the ${mqtt.kind} MQTT broker is not connected`),
    ...(proxies?.() === 0 ? ['no proxy process has joined'] : []),
    ...refusedEdits().map((edit) => refusal(edit, trusted)),
  ];
}

function refusal({ file, detail }: RefusedEdit, trusted: boolean): string {
  if (!trusted) return 'an edit of the configuration is refused; `reveille status` says why';
  const why = oneLine(plain(detail), MAX_REFUSAL_LENGTH);
  return `the edit of ${file} is refused, what was before goes on; correct it and save: ${why}`;
}

function problemsOfServices({ failed, degraded }: HealthAnswer['services']): string[] {
  const told = (count: number, one: string, many: string): string[] =>
    count === 0 ? [] : [count === 1 ? `1 service ${one}` : `${count} services ${many}`];
  return [...told(failed, 'has failed', 'have failed'), ...told(degraded, 'is degraded', 'are degraded')];
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
