import { createServer, type Server } from 'node:http';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { portsOf } from '../../../src/config/service-spec.ts';
import { RuntimeError } from '../../../src/fleet/errors.ts';
import type {
  Exit,
  InstanceKey,
  LogLine,
  LogOptions,
  ObservedInstance,
  StartedInstance,
  Usage,
} from '../../../src/fleet/runtime.ts';
import { instanceId } from '../../../src/fleet/runtime.ts';
import type { Clock, Timer } from '../../../src/lib/clock.ts';
import { SingleFlight } from '../../../src/lib/single-flight.ts';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';

/** How a fake instance carries on once it has been started; what is absent does not happen. */
export interface FakeConduct {
  /** It ends by itself. */
  readonly exits?: {
    readonly code: number;
    readonly afterMs: number;
    readonly oomKilled?: boolean;
    readonly says?: string;
  };
  /** It pays no attention when asked to stop, and ends only after the grace. */
  readonly ignoresStop?: boolean;
  /** How long it takes to stop when asked to; 0 by default. */
  readonly stopMs?: number;
  /** What it writes when it starts. */
  readonly writes?: readonly { readonly stream: 'stdout' | 'stderr'; readonly text: string }[];
  /** When it listens: how long it answers nothing after its start. */
  readonly listenAfterMs?: number;
  /** What it answers to a path when it listens, as JSON; by default who it is. */
  readonly answer?: (path: string, instance: FakeInstance) => unknown;
  /** Every reading, or how to make each; idle by default. */
  readonly usage?: Usage | ((instance: FakeInstance) => Usage);
  /** Reading what it uses fails (at the next reading), or never answers again, whatever the signal says. */
  readonly usageFails?: Error | 'hangs';
  readonly healthCommand?: readonly string[];
  /** The exit code of a command run inside; 0 by default. */
  readonly exec?: (command: readonly string[], signal: AbortSignal) => Promise<number>;
}

export interface FakeInstanceOptions {
  readonly key: InstanceKey;
  readonly runtimeId: string;
  readonly spec: ServiceSpec;
  readonly configHash: string;
  readonly imageId: string;
  readonly clock: Clock;
  /** Whether its endpoints can be connected to. */
  readonly listen: boolean;
  readonly conduct: () => FakeConduct;
  /** @param began it has been started or goes on after a pause */
  readonly changed: (began?: true) => void;
}

const MAX_LINE_LENGTH = 16_384;

/** One instance of the fake runtime: state, log lines and, when asked for, a real listener. */
export class FakeInstance {
  /** Callers who start it at the same time share one start. */
  readonly #starting = new SingleFlight<ObservedInstance>();
  readonly #options: FakeInstanceOptions;
  readonly #lines: LogLine[] = [];
  readonly #readers = new Set<() => void>();
  readonly #servers: Server[] = [];
  #state: ObservedInstance['state'] = 'created';
  #startedAtMs = 0;
  #exit: Exit | undefined;
  #endpoints: Record<number, Endpoint> = {};
  #ending: Timer | undefined;
  #removed = false;
  #boots = 0;
  /** How many lines there were when it was started last. */
  #linesBefore = 0;

  constructor(options: FakeInstanceOptions) {
    this.#options = options;
  }

  get id(): string {
    return instanceId(this.#options.key);
  }

  get key(): InstanceKey {
    return this.#options.key;
  }

  get runtimeId(): string {
    return this.#options.runtimeId;
  }

  get spec(): ServiceSpec {
    return this.#options.spec;
  }

  get imageId(): string {
    return this.#options.imageId;
  }

  /** Another one after each start that was not a mere continuing. */
  get boot(): string {
    return `${this.runtimeId}-boot-${this.#boots}`;
  }

  get up(): boolean {
    return this.#state === 'running' || this.#state === 'paused';
  }

  /** Simultaneous callers share one start, and one of them has made it. */
  async startOnce(begin: () => Promise<ObservedInstance>): Promise<StartedInstance> {
    const startedNow = this.#state !== 'running' && !this.#starting.busy;
    return { ...(await this.#starting.run(begin)), startedNow };
  }

  observe(): ObservedInstance {
    const { key, runtimeId, configHash, imageId, clock, conduct } = this.#options;
    const { healthCommand } = conduct();
    return {
      key,
      runtimeId,
      configHash,
      imageId,
      state: this.#state,
      endpoints: this.up ? { ...this.#endpoints } : {},
      ...(this.up ? { upMs: clock.now() - this.#startedAtMs } : {}),
      ...(this.#exit ? { exit: this.#exit } : {}),
      ...(healthCommand ? { healthCommand } : {}),
    };
  }

  /** Starts it, or continues it when paused. `fallbackPort` stands in its endpoints when it does not listen. */
  async start(fallbackPort: number): Promise<void> {
    if (this.#state === 'running') return;
    if (this.#state !== 'paused') await this.#boot(fallbackPort);
    this.#state = 'running';
    this.#options.changed(true);
  }

  pause(): void {
    if (this.#state !== 'running') return;
    this.#state = 'paused';
    this.#options.changed();
  }

  async stop(graceMs: number): Promise<void> {
    if (!this.up) return;
    const { clock, conduct } = this.#options;
    const { ignoresStop = false, stopMs = 0 } = conduct();
    const late = ignoresStop || stopMs > graceMs;
    const waitMs = late ? graceMs : stopMs;
    if (waitMs > 0) await new Promise<void>((resolve) => void clock.after(waitMs, resolve));
    this.end({ code: late ? 137 : 0, oomKilled: false });
  }

  /** Takes its address from it. */
  unplug(): string {
    this.#endpoints = {};
    return this.runtimeId;
  }

  /** Whether it was made from this, and can be reached if it runs. */
  isFit(imageId: string, configHash: string): boolean {
    const unplugged = this.up && Object.keys(this.#endpoints).length === 0;
    return this.imageId === imageId && this.#options.configHash === configHash && !unplugged;
  }

  /** Ends it at once, as from outside. */
  end(exit: Exit): void {
    if (!this.up) return;
    this.#ending?.cancel();
    for (const server of this.#servers.splice(0)) {
      server.close();
      server.closeAllConnections();
    }
    this.#exit = exit;
    this.#state = 'exited';
    this.#options.changed();
  }

  remove(): void {
    this.end({ code: 137, oomKilled: false });
    this.#removed = true;
    this.#wakeReaders();
    this.#options.changed();
  }

  write(stream: 'stdout' | 'stderr', text: string): void {
    const atEpochMs = this.#options.clock.epochMs();
    for (let at = 0; at === 0 || at < text.length; at += MAX_LINE_LENGTH) {
      this.#lines.push({ stream, text: text.slice(at, at + MAX_LINE_LENGTH), atEpochMs });
    }
    this.#wakeReaders();
  }

  async *logs({ tail, follow, latestRun = false, signal }: LogOptions): AsyncGenerator<LogLine> {
    let at = Math.max(latestRun ? this.#linesBefore : 0, this.#lines.length - tail);
    for (;;) {
      for (; at < this.#lines.length; at += 1) {
        if (signal?.aborted) return;
        yield this.#lines[at]!;
      }
      if (!follow || this.#removed || signal?.aborted) return;
      await this.#nextLine(signal);
    }
  }

  async #boot(fallbackPort: number): Promise<void> {
    const { spec, clock, listen, conduct } = this.#options;
    const port = listen ? await this.#listen() : fallbackPort;
    this.#endpoints = Object.fromEntries(portsOf(spec).map((inside) => [inside, { host: '127.0.0.1', port }]));
    this.#boots += 1;
    this.#exit = undefined;
    this.#startedAtMs = clock.now();
    this.#linesBefore = this.#lines.length;
    const { exits, writes = [] } = conduct();
    for (const { stream, text } of writes) this.write(stream, text);
    if (exits) {
      const { code, afterMs, oomKilled = false, says } = exits;
      this.#ending = clock.after(afterMs, () => {
        if (says !== undefined) this.write('stderr', says);
        this.end({ code, oomKilled });
      });
    }
  }

  async #listen(): Promise<number> {
    try {
      for (const { hostIp, hostPort } of this.spec.publish) await this.#serve(hostIp, hostPort);
      return await this.#serve('127.0.0.1', 0);
    } catch (error) {
      for (const server of this.#servers.splice(0)) server.close();
      throw error;
    }
  }

  #serve(host: string, port: number): Promise<number> {
    const server = createServer((request, response) => {
      const { answer = () => undefined, listenAfterMs = 0 } = this.#options.conduct();
      const early = this.#options.clock.now() - this.#startedAtMs < listenAfterMs;
      // A paused process does not answer; the connection stays open until it goes on or ends.
      if (this.#state !== 'running' || early) return;
      response.setHeader('Connection', 'close');
      response.end(JSON.stringify(answer(request.url ?? '/', this) ?? { instance: this.id, boot: this.boot }));
    });
    this.#servers.push(server);
    return new Promise((resolve, reject) => {
      server.once('error', (cause) =>
        reject(new RuntimeError('port_taken', `${this.spec.name}: port ${port} of ${host} is taken.`, { cause })),
      );
      server.listen(port, host, () => {
        const address = server.address();
        resolve(typeof address === 'object' && address ? address.port : port);
      });
    });
  }

  #nextLine(signal: AbortSignal | undefined): Promise<void> {
    return new Promise((resolve) => {
      const done = (): void => {
        this.#readers.delete(done);
        signal?.removeEventListener('abort', done);
        resolve();
      };
      this.#readers.add(done);
      signal?.addEventListener('abort', done, { once: true });
    });
  }

  #wakeReaders(): void {
    for (const wake of [...this.#readers]) wake();
  }
}
