import { sleep, type Clock } from '../lib/clock.ts';
import { isServing } from './instance-state.ts';
import type { Instance } from './instance.ts';
import type { Prober } from './prober.ts';
import type { Runtime } from './runtime.ts';
import type { Service } from './service.ts';

export interface SleepVetoTools {
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly clock: Clock;
}

const ASK_TIMEOUT_MS = 5_000;

/** What may object to a sleep although no request is open: a busy CPU, or the service itself (`sleep.unless`). */
export class SleepVeto {
  readonly #tools: SleepVetoTools;

  constructor(tools: SleepVetoTools) {
    this.#tools = tools;
  }

  async objects(service: Service): Promise<boolean> {
    const { sleep: rule } = service.spec;
    if (rule === false || (rule.unless.cpuAbove === undefined && rule.unless.probe === undefined)) return false;
    const { cpuAbove, probe } = rule.unless;
    const serving = service.instances.filter(({ state }) => isServing(state));
    const objections = await Promise.all(
      serving.map(async (instance) => {
        if (cpuAbove !== undefined && (await this.#cpuPercent(instance)) > cpuAbove) return true;
        return probe !== undefined && (await this.#answers(service, instance, probe));
      }),
    );
    return objections.includes(true);
  }

  /** The first reading that a runtime can give; -1 when it gives none in time. */
  async #cpuPercent({ runtimeId }: Instance): Promise<number> {
    if (runtimeId === undefined) return -1;
    return this.#bounded(async (signal) => {
      for await (const { cpuRatio } of this.#tools.runtime.usage(runtimeId, signal)) {
        if (cpuRatio !== null) return cpuRatio * 100;
      }
      return -1;
    }, -1);
  }

  #answers({ spec }: Service, { state }: Instance, path: string): Promise<boolean> {
    const endpoint = 'endpoints' in state ? state.endpoints[spec.port] : undefined;
    if (!endpoint) return Promise.resolve(false);
    const { prober } = this.#tools;
    const { protocol } = spec;
    return this.#bounded(async (signal) => (await prober.http(endpoint, path, signal, 400, { protocol })).ok, false);
  }

  async #bounded<T>(ask: (signal: AbortSignal) => Promise<T>, otherwise: T): Promise<T> {
    const over = new AbortController();
    const late = sleep(this.#tools.clock, ASK_TIMEOUT_MS, over.signal).then(() => otherwise);
    try {
      return await Promise.race([ask(over.signal).catch(() => otherwise), late]);
    } finally {
      over.abort();
    }
  }
}
