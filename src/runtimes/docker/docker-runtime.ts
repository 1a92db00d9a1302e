import { fileURLToPath } from 'node:url';
import type { ContainerInspectInfo } from 'dockerode';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ServiceSpec } from '../../config/service-spec.ts';
import { RuntimeError } from '../../fleet/errors.ts';
import type {
  LogLine,
  LogOptions,
  ObservedInstance,
  StartedInstance,
  Prepared,
  PrepareOptions,
  Runtime,
  RuntimeCondition,
  RuntimeEvent,
  Usage,
} from '../../fleet/runtime.ts';
import { configHash } from '../config-hash.ts';
import { BaseImage, type BaseImageOptions } from './images/base-image.ts';
import { Connection } from './engine/connection.ts';
import { ContainerMaker } from './containers/container-maker.ts';
import { Containers } from './containers/containers.ts';
import { parseDockerHost } from './engine/docker-host.ts';
import type { EndpointMode } from './containers/endpoints.ts';
import { EarlyLooks, type Look } from './containers/early-looks.ts';
import { Engine } from './engine/engine.ts';
import { refused, statusOf, unavailable, type Refusal } from './engine/errors.ts';
import { Events } from './engine/events.ts';
import { execIn } from './containers/exec.ts';
import { Images } from './images/images.ts';
import { Logs } from './containers/logs.ts';
import { containerName } from './containers/names.ts';
import { ProjectNetwork } from './containers/network.ts';
import { observe } from './containers/observe.ts';
import { RegistryCredentials } from './images/registry-credentials.ts';
import { removeProject, type Removed } from './remove-project.ts';
import { readUsage } from './containers/usage.ts';

export interface DockerRuntimeOptions {
  /** As in the setting DOCKER_HOST; empty = the local socket. */
  readonly dockerHost?: string | undefined;
  /** Whose containers these are. */
  readonly project: string;
  readonly network: string;
  readonly proxyId: string;
  readonly domain: string;
  readonly buildTimeoutMs: number;
  readonly clock: Clock;
  readonly log: Logger;
  /** The host names of all routes, which lead from inside a container to the daemon. Asked at each `create`. */
  readonly hostsOf: () => readonly string[];
  /** The PEM of a CA that containers are to trust. Asked at each `create`. */
  readonly trustCa?: (() => Promise<string | undefined>) | undefined;
  /** By which the members of replica sets know each other. Asked at the `create` of one. */
  readonly replicaSetKey?: (() => Promise<string>) | undefined;
  /** For every instance; a service's own `env` goes before it. */
  readonly environment?: Readonly<Record<string, string>> | undefined;
  /** The image under the services that is made when it is absent; without it reveille-base:20 from Dockerfile.base. */
  readonly baseImage?: Pick<BaseImageOptions, 'name' | 'dockerfile'> | undefined;
  /** `auto` asks the engine whether container addresses can be reached. */
  readonly endpoints?: EndpointMode | 'auto' | undefined;
  /** How long a call may take that is no stream and no build. */
  readonly callTimeoutMs?: number | undefined;
  readonly heartbeatMs?: number | undefined;
  /** Milliseconds without a word of the registry after which a pull counts as failed. */
  readonly pullSilenceMs?: number | undefined;
}

const CALL_TIMEOUT_MS = 20_000;
const HEARTBEAT_MS = 15_000;
const PULL_SILENCE_MS = 60_000;
/** At the root of the project, as far up from src/ as from dist/. */
const BASE_IMAGE = {
  name: 'reveille-base:20',
  dockerfile: fileURLToPath(new URL('../../../Dockerfile.base', import.meta.url)),
};

/** Runs instances as containers of a Docker engine. The words of its methods are in fleet/runtime.ts. */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly #options: DockerRuntimeOptions;
  readonly #engine: Engine;
  readonly #events: Events;
  readonly #connection: Connection;
  readonly #network: ProjectNetwork;
  readonly #baseImage: BaseImage;
  readonly #images: Images;
  readonly #containers: Containers;
  readonly #looks: EarlyLooks;
  readonly #maker: ContainerMaker;
  readonly #logs: Logs;
  readonly #closing = new AbortController();

  constructor(options: DockerRuntimeOptions) {
    const { dockerHost, project, clock, log, buildTimeoutMs, pullSilenceMs = PULL_SILENCE_MS } = options;
    this.#options = options;
    const host = parseDockerHost(dockerHost);
    const engine = new Engine({ host, clock, callTimeoutMs: options.callTimeoutMs ?? CALL_TIMEOUT_MS });
    const credentials = new RegistryCredentials();
    this.#engine = engine;
    this.#events = new Events(engine, { project, network: options.network }, log);
    this.#connection = this.#connect();
    this.#network = new ProjectNetwork(engine, options.network, project);
    this.#baseImage = new BaseImage({ ...(options.baseImage ?? BASE_IMAGE), engine, log, buildTimeoutMs, credentials });
    const baseImage = this.#baseImage;
    this.#images = new Images({ engine, project, credentials, baseImage, buildTimeoutMs, pullSilenceMs, log });
    this.#containers = new Containers(engine, project, clock);
    this.#looks = new EarlyLooks((name) => this.#look(name), clock);
    this.#maker = new ContainerMaker({ engine, project, containers: this.#containers, clock });
    this.#logs = new Logs({ engine, containers: this.#containers, clock });
  }

  get condition(): RuntimeCondition {
    return this.#connection.condition;
  }

  start(): Promise<void> {
    return this.#connection.start();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#baseImage.close();
    await this.#connection.close();
  }

  onEvent(listener: (event: RuntimeEvent) => void): () => void {
    return this.#events.subscribe(listener);
  }

  prepare(spec: ServiceSpec, options: PrepareOptions): Promise<Prepared> {
    const signal = AbortSignal.any([options.signal, this.#closing.signal]);
    const { name: service } = spec;
    if (options.creates ?? true) this.#looks.begin(containerName(this.#options.project, { service, index: 1 }));
    return this.#explained({ service, action: 'look for the image', fallback: 'create_failed' }, () =>
      this.#images.prepare(spec, { onProgress: (progress) => options.onProgress(progress), signal }),
    );
  }

  create(spec: ServiceSpec, index: number, prepared: Prepared): Promise<ObservedInstance> {
    const { name: service } = spec;
    return this.#explained({ service, action: 'create a container', fallback: 'create_failed' }, () =>
      this.#create(spec, index, prepared),
    );
  }

  async #create(spec: ServiceSpec, index: number, { imageId }: Prepared): Promise<ObservedInstance> {
    const { project, proxyId, domain, network, environment = {}, hostsOf, trustCa, replicaSetKey } = this.#options;
    const [{ network: joined, existing }, trust] = await Promise.all([
      this.#looks.take(containerName(project, { service: spec.name, index })),
      trustCa?.(),
    ]);
    const { id: networkId, gateway } = joined ?? (await this.#network.ensure());
    const wanted = {
      index,
      imageId,
      proxyId,
      domain,
      network,
      networkId,
      environment,
      // From within a virtual machine the network's gateway is the machine, not the host.
      gateway: this.#mode === 'direct' ? gateway : 'host-gateway',
      mode: this.#mode,
      init: this.#connection.traits?.init ?? false,
      hosts: hostsOf(),
      trust,
      replicaSetKey: spec.replicaSet === undefined ? undefined : await replicaSetKey?.(),
    };
    return this.#observed(await this.#maker.ensure(spec, wanted, existing), spec.name);
  }

  async #look(name: string): Promise<Look> {
    const [network, existing] = await Promise.all([this.#network.find(), this.#containers.inspect(name)]);
    return { network, existing };
  }

  async startInstance(runtimeId: string, seen?: ObservedInstance): Promise<StartedInstance> {
    const rest = seen?.state === 'paused' ? 'pause' : 'stop';
    const { service = 'unknown' } = seen?.key ?? {};
    const atRest = seen && seen.state !== 'running' ? seen : undefined;
    const outcome = atRest && (await this.#containers.startAsSeen(runtimeId, rest, service));
    const startedNow = outcome === 'started';
    // A pause keeps the address: there is nothing to look at.
    if (atRest && outcome && rest === 'pause') return { ...atRest, state: 'running', startedNow };
    const container = outcome ? await this.#containers.inspect(runtimeId) : undefined;
    if (container) return { ...this.#observed(container, service), startedNow };
    const looked = await this.#containers.start(runtimeId);
    return { ...this.#observed(looked.container, service), startedNow: startedNow || looked.startedNow };
  }

  pauseInstance(runtimeId: string): Promise<void> {
    return this.#containers.pause(runtimeId);
  }

  stopInstance(runtimeId: string, graceMs: number): Promise<void> {
    return this.#containers.stop(runtimeId, graceMs);
  }

  removeInstance(runtimeId: string): Promise<void> {
    return this.#containers.remove(runtimeId);
  }

  async inspect(runtimeId: string): Promise<ObservedInstance | undefined> {
    const container = await this.#containers.inspect(runtimeId);
    return container && this.#observe(container);
  }

  async list(): Promise<ObservedInstance[]> {
    const containers = await this.#containers.list();
    return containers.flatMap((container) => this.#observe(container) ?? []);
  }

  configHash(spec: ServiceSpec): string {
    return configHash(spec, this.kind);
  }

  async exec(runtimeId: string, command: readonly string[], signal: AbortSignal): Promise<number> {
    const observed = await this.inspect(runtimeId);
    const service = observed?.key.service ?? 'unknown';
    if (!observed) throw new RuntimeError('probe_failed', `cannot run '${command[0] ?? ''}': the container is gone`);
    return execIn(this.#engine, this.#options.clock, { service, id: runtimeId, command, signal });
  }

  logs(runtimeId: string, { signal, ...options }: LogOptions): AsyncIterable<LogLine> {
    const closing = this.#closing.signal;
    return this.#logs.read(runtimeId, { ...options, signal: signal ? AbortSignal.any([signal, closing]) : closing });
  }

  usage(runtimeId: string, signal: AbortSignal): AsyncIterable<Usage> {
    return readUsage(this.#engine, this.#containers, runtimeId, AbortSignal.any([signal, this.#closing.signal]));
  }

  /** The host's address on the network of the instances, to listen on; undefined where the host has none there. */
  async gateway(): Promise<string | undefined> {
    if (this.#mode === 'published') return undefined;
    return (await this.#network.ensure()).gateway;
  }

  /** Stops and removes all that was made for this project: containers, network, images, and volumes when asked for. */
  removeAll(options: { readonly volumes: boolean }): Promise<Removed> {
    return removeProject(this.#engine, this.#options.project, options);
  }

  /** An engine may answer, and yet refuse everything: that is no fault of the service. */
  async #explained<T>(refusal: Refusal, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (statusOf(error) === undefined) throw error;
      throw this.condition.up ? refused(error, refusal) : unavailable(this.condition, error);
    }
  }

  get #mode(): EndpointMode {
    const { endpoints = 'auto' } = this.#options;
    if (endpoints !== 'auto') return endpoints;
    return (this.#connection.traits?.reachable ?? this.#engine.local) ? 'direct' : 'published';
  }

  #connect(): Connection {
    const { clock, log, heartbeatMs = HEARTBEAT_MS } = this.#options;
    const events = this.#events;
    const connection = new Connection({
      engine: this.#engine,
      clock,
      log,
      heartbeatMs,
      openEvents: (since, signal) => events.open(since, signal),
      readEvents: (stream) => events.read(stream),
      lastEventAt: () => events.lastAt,
      onCondition: (condition) => events.emit({ type: 'condition', condition }),
    });
    this.#engine.onUnreachable = () => connection.suspect();
    return connection;
  }

  #observe(container: ContainerInspectInfo): ObservedInstance | undefined {
    const { project, network, clock } = this.#options;
    return observe(container, { project, network, mode: this.#mode, nowEpochMs: clock.epochMs() });
  }

  #observed(container: ContainerInspectInfo, service: string): ObservedInstance {
    const observed = this.#observe(container);
    if (observed) return observed;
    throw new RuntimeError('create_failed', `the container of service ${service} is being removed by somebody else`);
  }
}
