import { portsOf, type ServiceSpec } from '../../config/service-spec.ts';
import { RuntimeError } from '../../fleet/errors.ts';
import {
  instanceId,
  type Exit,
  type InstanceKey,
  type LogLine,
  type LogOptions,
  type ObservedInstance,
  type StartedInstance,
  type Usage,
} from '../../fleet/runtime.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { Lane } from '../../lib/lane.ts';
import type { Logger } from '../../lib/logger.ts';
import { findCommand } from './find-command.ts';
import { GroupUsage } from './group-usage.ts';
import { LineSplitter } from './line-splitter.ts';
import { LogRing } from './log-ring.ts';
import { ProcessGroup } from './process-group.ts';
import type { ProcessTable } from './process-table.ts';
import { TcpForwarder } from './tcp-forwarder.ts';

export interface ProcessInstanceOptions {
  readonly key: InstanceKey;
  readonly runtimeId: string;
  readonly spec: ServiceSpec;
  readonly configHash: string;
  readonly imageId: string;
  readonly project: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** A port that this instance has for itself until it ends. */
  readonly takePort: () => Promise<number>;
  readonly environment: (spec: ServiceSpec, port: number) => Record<string, string>;
  /** Shared by all instances. */
  readonly table: ProcessTable;
  readonly changed: () => void;
}

const HOST = '127.0.0.1';
const USAGE_INTERVAL_MS = 1_000;

/** One copy of a service as a process group. What changes it happens in the order it was asked for. */
export class ProcessInstance {
  readonly #options: ProcessInstanceOptions;
  readonly #lane = new Lane();
  readonly #ring = new LogRing();
  #state: ObservedInstance['state'] = 'created';
  #group: ProcessGroup | undefined;
  #forwarders: TcpForwarder[] = [];
  #port: number | undefined;
  #startedAtMs = 0;
  #exit: Exit | undefined;
  #removed = false;

  constructor(options: ProcessInstanceOptions) {
    this.#options = options;
  }

  get id(): string {
    return instanceId(this.#options.key);
  }

  get runtimeId(): string {
    return this.#options.runtimeId;
  }

  /** The port it has now, if it runs. */
  get port(): number | undefined {
    return this.#port;
  }

  madeFrom(configHash: string, imageId: string): boolean {
    return this.#options.configHash === configHash && this.#options.imageId === imageId;
  }

  observe(): ObservedInstance {
    const { key, runtimeId, configHash, imageId, clock, spec } = this.#options;
    const up = this.#state === 'running' || this.#state === 'paused';
    const endpoint = { host: HOST, port: this.#port ?? 0 };
    return {
      key,
      runtimeId,
      configHash,
      imageId,
      state: this.#state,
      // A process has one port of ours, PORT; every port that a route names leads there.
      endpoints: up ? Object.fromEntries(portsOf(spec).map((port) => [port, endpoint])) : {},
      ...(up ? { upMs: clock.now() - this.#startedAtMs } : {}),
      ...(this.#exit ? { exit: this.#exit } : {}),
    };
  }

  start(): Promise<StartedInstance> {
    return this.#lane.run(async () => {
      if (this.#removed) throw this.#failure('start_failed', 'it has been removed; create it again');
      const startedNow = this.#state !== 'running';
      if (this.#state === 'paused') this.#continue();
      else if (startedNow) await this.#boot();
      return { ...this.observe(), startedNow };
    });
  }

  pause(): Promise<void> {
    return this.#lane.run(() => {
      if (this.#state === 'running' && this.#group?.signal('SIGSTOP')) this.#become('paused');
      return Promise.resolve();
    });
  }

  stop(graceMs: number): Promise<void> {
    return this.#lane.run(async () => {
      const group = this.#group;
      if (!group) return;
      await group.end(graceMs);
      await this.#ended(group, await group.ended);
    });
  }

  /** Ends it at once, also while it is being stopped. */
  remove(): Promise<void> {
    this.#removed = true;
    this.#group?.signal('SIGKILL');
    return this.#lane.run(async () => {
      const group = this.#group;
      if (group) {
        await group.kill();
        await this.#ended(group, await group.ended);
      }
      this.#ring.close();
      this.#options.changed();
    });
  }

  /** The exit code; the command ends with the instance, and with the signal. */
  async exec(command: readonly string[], signal: AbortSignal): Promise<number> {
    const instance = this.#group;
    if (!instance || this.#state !== 'running' || this.#port === undefined) {
      throw this.#failure('probe_failed', 'no command can be run in it, because it does not run');
    }
    signal.throwIfAborted();
    const group = this.#groupOf(command, this.#port, () => undefined);
    await group.start();
    const over = AbortSignal.any([signal, instance.over]);
    const onOver = (): void => void group.signal('SIGKILL');
    over.addEventListener('abort', onOver, { once: true });
    if (over.aborted) onOver();
    const code = await group.ended;
    over.removeEventListener('abort', onOver);
    signal.throwIfAborted();
    return code;
  }

  logs(options: LogOptions): AsyncGenerator<LogLine> {
    return this.#ring.read(options);
  }

  async *usage(signal: AbortSignal): AsyncGenerator<Usage> {
    const { clock, spec, table } = this.#options;
    const group = this.#group;
    if (!group) return;
    const meter = new GroupUsage(group.id, clock, table);
    const over = AbortSignal.any([signal, group.over]);
    while (!over.aborted) {
      const { cores, memoryBytes } = await meter.read();
      const cpuRatio = cores === null ? null : cores / spec.resources.cpus;
      yield { cpuRatio, memoryBytes, memoryLimitBytes: spec.resources.memoryBytes };
      await sleep(clock, USAGE_INTERVAL_MS, over);
    }
  }

  #continue(): void {
    this.#group?.signal('SIGCONT');
    this.#become('running');
  }

  async #boot(): Promise<void> {
    const { spec, clock, takePort } = this.#options;
    const command = spec.process?.command ?? [];
    this.#ring.beginRun();
    const port = await takePort();
    this.#port = port;
    try {
      await this.#checkCommand(command, port);
      await this.#publish(port);
      const splitters = this.#splitters();
      const group = this.#groupOf(command, port, (stream, chunk) => splitters[stream].write(chunk));
      await group.start().catch((cause: unknown) => {
        throw this.#failure(
          'start_failed',
          `\`${command.join(' ')}\` could not be started: ${messageOf(cause)}`,
          cause,
        );
      });
      this.#group = group;
      this.#exit = undefined;
      this.#startedAtMs = clock.now();
      this.#become('running');
      void group.ended.then((code) => {
        for (const splitter of Object.values(splitters)) splitter.end();
        return this.#ended(group, code);
      });
    } catch (error) {
      await this.#unpublish();
      this.#port = undefined;
      throw error;
    }
  }

  async #checkCommand(command: readonly string[], port: number): Promise<void> {
    const { spec, environment } = this.#options;
    const cwd = spec.process?.cwd ?? process.cwd();
    const [name = ''] = command;
    if ((await findCommand(name, cwd, environment(spec, port)['PATH'] ?? '')) !== undefined) return;
    throw this.#failure(
      'start_failed',
      `there is no command \`${name}\` that can be run from ${cwd}; check \`process\``,
    );
  }

  #groupOf(
    command: readonly string[],
    port: number,
    onOutput: (stream: 'stdout' | 'stderr', chunk: Buffer) => void,
  ): ProcessGroup {
    const { spec, project, clock, log, environment } = this.#options;
    const cwd = spec.process?.cwd ?? process.cwd();
    const title = `reveille-supervisor ${project} ${this.id}`;
    return new ProcessGroup({ command, cwd, env: environment(spec, port), title, clock, log, onOutput });
  }

  #splitters(): Record<'stdout' | 'stderr', LineSplitter> {
    const { clock } = this.#options;
    const of = (stream: 'stdout' | 'stderr'): LineSplitter =>
      new LineSplitter((text) => this.#ring.push({ stream, text, atEpochMs: clock.epochMs() }));
    return { stdout: of('stdout'), stderr: of('stderr') };
  }

  /** Every published port leads to the one port of the process. */
  async #publish(targetPort: number): Promise<void> {
    const { spec, log } = this.#options;
    for (const { hostIp, hostPort, protocol } of spec.publish) {
      if (protocol !== 'tcp') {
        log.warn({ service: spec.name, hostPort }, 'without a container engine only TCP ports are published');
        continue;
      }
      const forwarder = new TcpForwarder({ service: spec.name, hostIp, hostPort, targetPort });
      await forwarder.start();
      this.#forwarders.push(forwarder);
    }
  }

  async #unpublish(): Promise<void> {
    await Promise.all(this.#forwarders.splice(0).map((forwarder) => forwarder.close()));
  }

  async #ended(group: ProcessGroup, code: number): Promise<void> {
    // Heard of twice when it was stopped: from whoever stopped it, and from the group itself.
    if (this.#group !== group) return;
    this.#group = undefined;
    this.#port = undefined;
    this.#exit = { code, oomKilled: false };
    const unpublished = this.#unpublish();
    this.#become('exited');
    await unpublished;
  }

  #become(state: ObservedInstance['state']): void {
    this.#state = state;
    this.#options.changed();
  }

  #failure(code: RuntimeError['code'], what: string, cause?: unknown): RuntimeError {
    return new RuntimeError(code, `${this.id}: ${what}.`, { cause, logTail: this.#ring.tail(20) });
  }
}
