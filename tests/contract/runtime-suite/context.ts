import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import type { LogLine, ObservedInstance, Runtime, RuntimeEvent } from '../../../src/fleet/runtime.ts';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';
import { until, untilPasses } from '../../support/until.ts';

export interface OpenRuntime {
  /** Started. */
  readonly runtime: Runtime;
  /** Removes everything it made, and lets go. */
  close(): Promise<void>;
}

export interface RuntimeHarness {
  /** A runtime of a project of its own, another one at each call. */
  open: () => Promise<OpenRuntime>;
  /**
   * The service of tests/fixtures/image/server.mjs in this runtime's terms, under a name not used before.
   * `env` sets how it behaves; `routes`, `publish`, `resources` and the rest are taken as they are.
   */
  spec: (overrides?: Partial<ServiceSpec>) => ServiceSpec;
  /** A service whose image or command does not exist, with its name in it. */
  missing: () => ServiceSpec;
}

export const PREPARE = { onProgress: (): void => undefined, signal: AbortSignal.timeout(600_000) };
export const GRACE_MS = 30_000;
const HANGS_MS = 30_000;
/** Docker counts the grace in whole seconds. */
export const SHORT_GRACE_MS = 1_000;

export interface Identity {
  readonly boot: string;
}

export async function get(endpoint: Endpoint, path = '/', timeoutMs = 20_000): Promise<Identity> {
  const response = await fetch(`http://${endpoint.host}:${endpoint.port}${path}`, {
    headers: { connection: 'close' },
    signal: AbortSignal.timeout(timeoutMs),
  });
  return (await response.json()) as Identity;
}

/** The first answer of a service that is starting. */
export function untilServes(endpoint: Endpoint): Promise<Identity> {
  return untilPasses(() => get(endpoint, '/', 1_000));
}

export async function collect<T>(items: AsyncIterable<T>, enough: (soFar: T[]) => boolean = () => false): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) {
    all.push(item);
    if (enough(all)) break;
  }
  return all;
}

/** Rejects when `work` does not settle: what must end by itself is not left to the runner's timeout. */
export async function settles<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`still going on after ${HANGS_MS} ms`)), HANGS_MS);
  });
  return Promise.race([work, limit]).finally(() => clearTimeout(timer));
}

export function texts(lines: readonly LogLine[], stream: LogLine['stream'] = 'stdout'): string[] {
  return lines.filter((line) => line.stream === stream).map((line) => line.text);
}

/** One opened runtime, and the moves that the tests share. */
export class RuntimeSuiteContext {
  readonly harness: RuntimeHarness;
  #open: OpenRuntime | undefined;

  constructor(harness: RuntimeHarness) {
    this.harness = harness;
  }

  get runtime(): Runtime {
    if (!this.#open) throw new Error('The runtime has not been opened.');
    return this.#open.runtime;
  }

  async open(): Promise<void> {
    this.#open = await this.harness.open();
  }

  async close(): Promise<void> {
    await this.#open?.close();
  }

  async removeAll(): Promise<void> {
    for (const { runtimeId } of await this.runtime.list()) await this.runtime.removeInstance(runtimeId);
  }

  async make(spec: ServiceSpec, index = 1): Promise<ObservedInstance> {
    return this.runtime.create(spec, index, await this.runtime.prepare(spec, PREPARE));
  }

  async launch(env: Record<string, string> = {}, overrides: Partial<ServiceSpec> = {}): Promise<Launched> {
    const spec = this.harness.spec({ ...overrides, env });
    const { runtimeId } = await this.make(spec);
    const observed = await this.runtime.startInstance(runtimeId);
    return { spec, runtimeId, observed, endpoint: observed.endpoints[spec.port]! };
  }

  async launchReady(
    env: Record<string, string> = {},
    overrides: Partial<ServiceSpec> = {},
  ): Promise<Launched & { identity: Identity }> {
    const launched = await this.launch(env, overrides);
    return { ...launched, identity: await untilServes(launched.endpoint) };
  }

  async untilState(runtimeId: string, state: ObservedInstance['state']): Promise<ObservedInstance> {
    const seen = async (): Promise<ObservedInstance | undefined> => {
      const observed = await this.runtime.inspect(runtimeId);
      return observed?.state === state ? observed : undefined;
    };
    return until(seen);
  }

  record(): { events: RuntimeEvent[]; stop: () => void } {
    const events: RuntimeEvent[] = [];
    return { events, stop: this.runtime.onEvent((event) => events.push(event)) };
  }
}

export interface Launched {
  readonly spec: ServiceSpec;
  readonly runtimeId: string;
  readonly observed: ObservedInstance;
  readonly endpoint: Endpoint;
}
