import type { ServiceSpec } from '../../config/service-spec.ts';
import type { Failure, ServiceStatus, ServiceView, UpstreamView, WakeProgress } from '../../seam/fleet-view.ts';
import type { Instance } from '../instance/instance.ts';
import type { InstanceView } from '../member.ts';

/** What a view is made from. */
export interface Viewed {
  readonly name: string;
  readonly spec: ServiceSpec;
  readonly status: ServiceStatus;
  readonly failure: Failure | undefined;
  readonly instances: readonly Instance[];
}

/** What the data half is told of a service. */
export function viewOf(service: Viewed, progress: WakeProgress | undefined): ServiceView {
  const { name, status, spec, failure } = service;
  const { routes, protocol, balance, sticky, breaker, wake } = spec;
  const upstreams = offered(service.instances);
  const base = { name, status, routes, upstreams, protocol, balance, sticky, breaker, wake };
  return { ...base, ...(progress && { progress }), ...(failure && { failure }) };
}

/** The ready ones; when there is none, the unhealthy ones: they may still serve, and nothing else does. */
function offered(instances: readonly Instance[]): UpstreamView[] {
  const ready = inState(instances, 'ready');
  return ready.length > 0 ? ready : inState(instances, 'unhealthy');
}

function inState(instances: readonly Instance[], kind: 'ready' | 'unhealthy'): UpstreamView[] {
  return instances.flatMap(({ id, state }) => (state.kind === kind ? [{ id, endpoints: state.endpoints }] : []));
}

/** @param port the container port that its upstream is told for */
export function instanceViewOf({ id, state }: Instance, port: number): InstanceView {
  const endpoint = 'endpoints' in state ? state.endpoints[port] : undefined;
  const base = { id, state: state.kind, since: state.since };
  return endpoint ? { ...base, upstream: `${endpoint.host}:${endpoint.port}` } : base;
}
