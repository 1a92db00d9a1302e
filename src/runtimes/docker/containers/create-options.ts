import type { ContainerCreateOptions, HealthConfig, HostConfig, MountSettings } from 'dockerode';
import { portsOf, type ServiceSpec } from '../../../config/service-spec.ts';
import { configHash, hashOf } from '../../config-hash.ts';
import { instanceEnvironment } from '../../instance-environment.ts';
import { LABELS, projectLabels } from '../../labels.ts';
import type { EndpointMode } from './endpoints.ts';
import { containerName } from './names.ts';

/** What a container is made of beside the spec of its service. */
export interface CreateContext {
  readonly project: string;
  readonly proxyId: string;
  readonly domain: string;
  readonly network: string;
  /** Its id now. */
  readonly networkId: string;
  /** Where the route names lead from inside: the gateway of the network, or `host-gateway`. */
  readonly gateway: string | undefined;
  readonly mode: EndpointMode;
  readonly init: boolean;
  readonly index: number;
  readonly imageId: string;
  /** The host names of all routes. */
  readonly hosts: readonly string[];
  /** A CA certificate (PEM) that is put into the container. */
  readonly trust: string | undefined;
  /** By which the members of a replica set know each other. */
  readonly replicaSetKey: string | undefined;
  readonly environment: Readonly<Record<string, string>>;
}

/** Where the certificate of the development CA stands inside. */
export const TRUST_PATH = '/etc/reveille/development-ca.pem';

const SECOND_NS = 1e9;

/** Enough for any service of this size, and no fork bomb. */
const PIDS_LIMIT = 2_048;

type PortBindings = Record<string, { HostIp: string; HostPort: string }[]>;

function portBindings(spec: ServiceSpec, mode: EndpointMode): PortBindings {
  const bindings: PortBindings = {};
  for (const { containerPort, protocol, hostIp, hostPort } of spec.publish) {
    (bindings[`${containerPort}/${protocol}`] ??= []).push({ HostIp: hostIp, HostPort: String(hostPort) });
  }
  // An empty port is one that the engine chooses, at each start.
  if (mode === 'published') {
    for (const port of portsOf(spec)) (bindings[`${port}/tcp`] ??= []).push({ HostIp: '127.0.0.1', HostPort: '' });
  }
  return bindings;
}

function mounts(spec: ServiceSpec, project: string): MountSettings[] {
  return spec.volumes.map(({ source, target, kind, readOnly }) => ({
    Type: kind,
    Source: source,
    Target: target,
    ReadOnly: readOnly,
    ...(kind === 'volume' && {
      VolumeOptions: { NoCopy: false, Labels: projectLabels(project), DriverConfig: { Name: 'local', Options: {} } },
    }),
  }));
}

/** Names of this daemon, for which /etc/hosts has no wildcards. */
function extraHosts({ hosts, gateway }: CreateContext): string[] {
  if (gateway === undefined) return [];
  const names = [...new Set(hosts)].filter((host) => !host.includes('*'));
  return names.sort().map((host) => `${host}:${gateway}`);
}

function aliases({ name, routes, replicaSet }: ServiceSpec, domain: string): string[] {
  return routes.length === 0 || replicaSet !== undefined ? [name, `${name}.${domain}`] : [name];
}

function environment(spec: ServiceSpec, { trust, environment: common, index }: CreateContext): Record<string, string> {
  const who = instanceEnvironment({ service: spec.name, index });
  const trusted = trust === undefined ? {} : { NODE_EXTRA_CA_CERTS: TRUST_PATH };
  return { PORT: String(spec.port), ...common, ...who, ...trusted, ...spec.env };
}

/** What may change without the spec: a container that runs keeps the old ones, one that does not is replaced. */
function surroundings(spec: ServiceSpec, context: CreateContext): string {
  const { trust, environment: common, mode, network, init, domain } = context;
  return hashOf({ hosts: extraHosts(context), aliases: aliases(spec, domain), trust, common, mode, network, init });
}

function hostConfig(spec: ServiceSpec, context: CreateContext): HostConfig {
  const { cpus, memoryBytes } = spec.resources;
  return {
    RestartPolicy: { Name: 'no' },
    NanoCpus: Math.round(cpus * 1e9),
    Memory: memoryBytes,
    // Equal to the memory: no swap, so that the limit means what it says.
    MemorySwap: memoryBytes,
    PidsLimit: PIDS_LIMIT,
    SecurityOpt: ['no-new-privileges'],
    Init: context.init,
    NetworkMode: context.network,
    ExtraHosts: extraHosts(context),
    PortBindings: portBindings(spec, context.mode),
    Mounts: mounts(spec, context.project),
    LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
  };
}

/** A replica set that lost its primary (a full disk, say) runs on and takes no writes: worth knowing, not worth many looks. */
function isPrimary(port: number): HealthConfig {
  const ask = ['mongosh', '--quiet', '--norc', '--port', String(port), '--eval'];
  return {
    Test: ['CMD', ...ask, 'quit(db.hello().isWritablePrimary ? 0 : 1)'],
    ...{ Interval: 30 * SECOND_NS, Timeout: 20 * SECOND_NS, StartPeriod: 60 * SECOND_NS, Retries: 3 },
  };
}

/** A service as the body of the call that makes its container. Pure: equal input, equal container. */
export function createOptions(spec: ServiceSpec, context: CreateContext): ContainerCreateOptions & { name: string } {
  const { project, index, proxyId, network, domain, imageId } = context;
  const ports = portsOf(spec);
  const bindings = portBindings(spec, context.mode);
  return {
    name: containerName(project, { service: spec.name, index }),
    Image: imageId,
    Env: Object.entries(environment(spec, context)).map(([key, value]) => `${key}=${value}`),
    ...(spec.command && { Cmd: [...spec.command] }),
    ...(spec.user !== undefined && { User: spec.user }),
    ...(spec.replicaSet !== undefined && { Healthcheck: isPrimary(spec.port) }),
    Labels: {
      ...spec.labels,
      ...projectLabels(project),
      [LABELS.service]: spec.name,
      [LABELS.index]: String(index),
      [LABELS.configHash]: configHash(spec, 'docker'),
      [LABELS.proxy]: proxyId,
      [LABELS.ports]: ports.join(','),
      [LABELS.surroundings]: surroundings(spec, context),
    },
    ExposedPorts: Object.fromEntries(
      [...ports.map((port) => `${port}/tcp`), ...Object.keys(bindings)].map((port) => [port, {}]),
    ),
    HostConfig: hostConfig(spec, context),
    NetworkingConfig: { EndpointsConfig: { [network]: { Aliases: aliases(spec, domain) } } },
  };
}
