import type { Fleet } from '../fleet/fleet.ts';
import type { Instance } from '../fleet/instance/instance.ts';
import type { LogLine } from '../fleet/runtime.ts';
import type { Service } from '../fleet/service/service.ts';
import { sleep, type Clock } from '../lib/clock.ts';

export interface LogFeedTools {
  readonly fleet: Fleet;
  readonly clock: Clock;
}

export interface LogFeedOptions {
  readonly service: Service;
  /** How many of the last lines of each instance come first. */
  readonly tail: number;
  /** Lines up to here were read before; wall clock in milliseconds. */
  readonly afterEpochMs: number;
  readonly signal: AbortSignal;
  readonly send: (instance: string, line: LogLine) => Promise<void>;
}

/** How soon the lines of a new instance are joined in. */
const LOOK_AGAIN_MS = 250;
/** How long after a log that ended, or could not be read. */
const READ_AGAIN_MS = 1_000;
/** Of an instance that came while somebody was reading, everything is new. */
const WHOLE_TAIL = 10_000;

/** The log lines of all instances of a service, also of those that come later. */
export class LogFeed {
  readonly #tools: LogFeedTools;
  readonly #options: LogFeedOptions;
  /** Who is being read, and how far; by the runtime's handle. */
  readonly #readUntil = new Map<string, number>();
  readonly #reading = new Set<string>();

  constructor(tools: LogFeedTools, options: LogFeedOptions) {
    this.#tools = tools;
    this.#options = options;
  }

  /** What there is now, in the order of time. */
  async readOnce(): Promise<void> {
    const { service, tail, signal, send, afterEpochMs } = this.#options;
    const lines: { instance: string; line: LogLine }[] = [];
    for (const { id, runtimeId } of service.instances) {
      if (runtimeId === undefined) continue;
      const options = { tail, follow: false, signal };
      for await (const line of this.#tools.fleet.runtime.logs(runtimeId, options)) lines.push({ instance: id, line });
    }
    lines.sort((a, b) => a.line.atEpochMs - b.line.atEpochMs);
    for (const { instance, line } of lines) if (line.atEpochMs > afterEpochMs) await send(instance, line);
  }

  /** Goes on until the signal aborts or the service leaves the manifest. */
  async follow(): Promise<void> {
    const { service, signal, tail } = this.#options;
    const { fleet, clock } = this.#tools;
    let first = true;
    while (!signal.aborted && fleet.member(service.name) === service) {
      for (const instance of service.instances) void this.#read(instance, first ? tail : WHOLE_TAIL);
      first = false;
      await sleep(clock, LOOK_AGAIN_MS, signal);
    }
  }

  async #read({ id, runtimeId }: Instance, tail: number): Promise<void> {
    const { signal, send, afterEpochMs } = this.#options;
    if (runtimeId === undefined || this.#reading.has(runtimeId)) return;
    this.#reading.add(runtimeId);
    const { fleet, clock } = this.#tools;
    const beganEpochMs = clock.epochMs();
    const readBefore = this.#readUntil.get(runtimeId) ?? afterEpochMs;
    try {
      const options = { tail, follow: true, signal };
      for await (const line of fleet.runtime.logs(runtimeId, options)) {
        if (line.atEpochMs <= readBefore) continue;
        this.#readUntil.set(runtimeId, line.atEpochMs);
        await send(id, line);
      }
    } catch {
      // The runtime is away: it is asked again at the next look, and goes on where it left off.
    } finally {
      if (!this.#readUntil.has(runtimeId)) this.#readUntil.set(runtimeId, Math.max(readBefore, beganEpochMs));
      await sleep(clock, READ_AGAIN_MS, signal);
      this.#reading.delete(runtimeId);
    }
  }
}
