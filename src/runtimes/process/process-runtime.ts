import { randomUUID } from 'node:crypto';
import { portsOf, type ServiceSpec } from '../../config/service-spec.ts';
import { RuntimeError, RuntimeUnavailable } from '../../fleet/errors.ts';
import {
  instanceId,
  type LogLine,
  type LogOptions,
  type ObservedInstance,
  type StartedInstance,
  type Prepared,
  type PrepareOptions,
  type Runtime,
  type RuntimeCondition,
  type RuntimeEvent,
  type Usage,
} from '../../fleet/runtime.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import { instanceEnvironment } from '../instance-environment.ts';
import { commandId, configHash } from './config-hash.ts';
import { freePort } from '../../lib/free-port.ts';
import { processEnvironment } from './process-environment.ts';
import { ProcessInstance } from './process-instance.ts';
import { ProcessTable } from './process-table.ts';

export interface ProcessRuntimeOptions {
  readonly project: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** What every service gets in its environment, such as NODE_EXTRA_CA_CERTS. */
  readonly environment?: Readonly<Record<string, string>>;
  /** How long services may take to end when the runtime is closed; 10 s when absent. */
  readonly closeGraceMs?: number;
}

const CLOSE_GRACE_MS = 10_000;

/** Runs services as child processes, for machines without a container engine. They are as isolated as any program: not at all. */
export class ProcessRuntime implements Runtime {
  readonly kind = 'process';
  readonly condition: RuntimeCondition = { up: true };
  readonly #options: ProcessRuntimeOptions;
  readonly #instances = new Map<string, ProcessInstance>();
  readonly #listeners = new Set<(event: RuntimeEvent) => void>();
  readonly #table: ProcessTable;
  #closing: Promise<void> | undefined;

  constructor(options: ProcessRuntimeOptions) {
    this.#options = options;
    this.#table = new ProcessTable(options.clock);
  }

  /** Nothing to connect to and nothing to adopt: processes do not outlive their daemon. */
  start(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#closing ??= this.#endAll();
    return this.#closing;
  }

  onEvent(listener: (event: RuntimeEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Processes see this machine as we do. */
  gateway(): Promise<undefined> {
    return Promise.resolve(undefined);
  }

  prepare(spec: ServiceSpec, { signal }: PrepareOptions): Promise<Prepared> {
    return immediately(() => {
      signal.throwIfAborted();
      requireRunnable(spec);
      return { imageId: commandId(spec), fresh: false };
    });
  }

  async create(spec: ServiceSpec, index: number, { imageId }: Prepared): Promise<ObservedInstance> {
    requireRunnable(spec);
    const id = instanceId({ service: spec.name, index });
    const hash = configHash(spec);
    for (;;) {
      if (this.#closing) throw new RuntimeUnavailable(`${spec.name} is not made: the daemon is ending.`);
      const present = this.#instances.get(id);
      if (!present) break;
      if (present.madeFrom(hash, imageId)) return present.observe();
      await this.#remove(present);
    }
    const instance = this.#make(spec, index, hash, imageId);
    this.#instances.set(id, instance);
    return instance.observe();
  }

  async startInstance(runtimeId: string): Promise<StartedInstance> {
    const instance = this.#find(runtimeId);
    if (instance && !this.#closing) return instance.start();
    if (this.#closing) throw new RuntimeUnavailable(`${runtimeId} is not started: the daemon is ending.`);
    throw new RuntimeError('start_failed', `The instance ${runtimeId} is gone; create it again.`);
  }

  async pauseInstance(runtimeId: string): Promise<void> {
    await this.#find(runtimeId)?.pause();
  }

  async stopInstance(runtimeId: string, graceMs: number): Promise<void> {
    await this.#find(runtimeId)?.stop(graceMs);
  }

  async removeInstance(runtimeId: string): Promise<void> {
    const instance = this.#find(runtimeId);
    if (instance) await this.#remove(instance);
  }

  inspect(runtimeId: string): Promise<ObservedInstance | undefined> {
    return Promise.resolve(this.#find(runtimeId)?.observe());
  }

  list(): Promise<ObservedInstance[]> {
    return Promise.resolve([...this.#instances.values()].map((instance) => instance.observe()));
  }

  configHash(spec: ServiceSpec): string {
    return configHash(spec);
  }

  async exec(runtimeId: string, command: readonly string[], signal: AbortSignal): Promise<number> {
    const instance = this.#find(runtimeId);
    if (!instance)
      throw new RuntimeError('probe_failed', `The instance ${runtimeId} is gone; nothing can be run in it.`);
    return instance.exec(command, signal);
  }

  async *logs(runtimeId: string, options: LogOptions): AsyncGenerator<LogLine> {
    yield* this.#find(runtimeId)?.logs(options) ?? [];
  }

  async *usage(runtimeId: string, signal: AbortSignal): AsyncGenerator<Usage> {
    yield* this.#find(runtimeId)?.usage(signal) ?? [];
  }

  #make(spec: ServiceSpec, index: number, hash: string, imageId: string): ProcessInstance {
    const { project, clock, log, environment = {} } = this.#options;
    const key = { service: spec.name, index };
    const common = { ...environment, ...instanceEnvironment(key) };
    const runtimeId = `${instanceId(key)}-${randomUUID().slice(0, 8)}`;
    const ports = portsOf(spec);
    if (ports.length > 1) {
      log.warn({ service: spec.name, ports }, 'as a process a service has one port, PORT; all its routes lead there');
    }
    return new ProcessInstance({
      key,
      runtimeId,
      spec,
      configHash: hash,
      imageId,
      project,
      clock,
      log,
      table: this.#table,
      takePort: () => freePort(this.#portsInUse()),
      environment: ({ env: service }, port) => processEnvironment({ daemon: process.env, common, service, port }),
      changed: () => this.#emit({ type: 'changed', key, runtimeId }),
    });
  }

  async #remove(instance: ProcessInstance): Promise<void> {
    await instance.remove();
    if (this.#instances.get(instance.id) === instance) this.#instances.delete(instance.id);
  }

  async #endAll(): Promise<void> {
    const { closeGraceMs = CLOSE_GRACE_MS } = this.#options;
    const ends = [...this.#instances.values()].map(async (instance) => {
      await instance.stop(closeGraceMs);
      await this.#remove(instance);
    });
    await Promise.allSettled(ends);
    this.#listeners.clear();
  }

  #portsInUse(): Set<number> {
    return new Set([...this.#instances.values()].flatMap(({ port }) => port ?? []));
  }

  #find(runtimeId: string): ProcessInstance | undefined {
    return [...this.#instances.values()].find((instance) => instance.runtimeId === runtimeId);
  }

  #emit(event: RuntimeEvent): void {
    for (const listener of [...this.#listeners]) listener(event);
  }
}

function requireRunnable({ name, process }: ServiceSpec): void {
  if (process && process.command.length > 0) return;
  throw new RuntimeError(
    'not_runnable',
    `${name} has no \`process\` field, and no container engine is there: start Docker, or add \`process: { command }\` to ${name} in the manifest.`,
  );
}

/** As an async function, for what has nothing to wait for. */
function immediately<T>(make: () => T): Promise<T> {
  return new Promise((resolve) => resolve(make()));
}
