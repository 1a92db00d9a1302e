import type { Fleet } from '../fleet/fleet.ts';
import type { FleetEvent } from '../fleet/events.ts';
import { replicasOf, type Member } from '../fleet/member.ts';
import type { LogLine } from '../fleet/runtime.ts';
import type { Failure, WakeProgress } from '../seam/fleet-view.ts';
import type {
  ActionAnswer,
  EventAnswer,
  FailureAnswer,
  InstanceAnswer,
  LogAnswer,
  ProgressAnswer,
  ServiceAnswer,
} from './contract.ts';
import { plain } from './problem.ts';

/** What the views need to know beside the member itself. Nothing of a spec's `env` ever becomes part of one. */
export interface ViewTools {
  readonly fleet: Fleet;
  readonly publicUrl: (host: string) => string;
}

export function serviceAnswer(member: Member, { fleet, publicUrl }: ViewTools): ServiceAnswer {
  const { name, spec, status, failure } = member;
  const { progress } = member.view();
  const external = spec.source.kind === 'url';
  return {
    name,
    status,
    routes: spec.routes.map(({ host, path }) => publicUrl(host) + (path === '/' ? '' : path)),
    replicas: replicasOf(member),
    instances: instanceAnswers(member, fleet),
    inFlight: fleet.inFlight(name),
    source: spec.source.kind,
    runtime: external ? 'external' : fleet.runtime.kind,
    job: spec.job,
    scale: { min: spec.scale.min, max: spec.scale.max },
    sleep: external || spec.sleep === false ? false : spec.sleep.tiers,
    dependsOn: Object.keys(spec.dependsOn),
    ...(progress && { progress: progressAnswer(progress) }),
    ...(failure && { failure: failureAnswer(failure) }),
  };
}

export function actionAnswer(member: Member): ActionAnswer {
  return { service: member.name, status: member.status, replicas: replicasOf(member) };
}

export function instanceAnswers(
  { name, instanceViews }: Member,
  { monitor }: Pick<Fleet, 'monitor'>,
): InstanceAnswer[] {
  return instanceViews.map(({ since, ...rest }) => {
    const { cpuRatio = null, memoryBytes = null, memoryLimitBytes = null } = monitor.usageOf(name, rest.id) ?? {};
    return { ...rest, since: new Date(since).toISOString(), cpuRatio, memoryBytes, memoryLimitBytes };
  });
}

export function eventAnswer({ id, type, service, instanceId, atEpochMs, data }: FleetEvent): EventAnswer {
  const instance = instanceId === undefined ? {} : { instance: instanceId };
  return { id, type, service, ...instance, at: new Date(atEpochMs).toISOString(), data };
}

export function logAnswer(instance: string, { stream, text, atEpochMs }: LogLine): LogAnswer {
  return { instance, stream, text, at: new Date(atEpochMs).toISOString() };
}

function failureAnswer({ code, detail, logTail, atEpochMs, retryAtEpochMs }: Failure): FailureAnswer {
  const at = new Date(atEpochMs).toISOString();
  const retry = retryAtEpochMs === undefined ? {} : { retryAt: new Date(retryAtEpochMs).toISOString() };
  return { code, detail: plain(detail), logTail: logTail.map(plain), at, ...retry };
}

function progressAnswer({ phase, detail, ratio, startedAtEpochMs }: WakeProgress): ProgressAnswer {
  return { phase, detail: plain(detail), ratio, startedAt: new Date(startedAtEpochMs).toISOString() };
}
