import { sleep, type Clock } from '../../lib/clock.ts';
import type { Instance } from '../instance/instance.ts';
import type { Prober } from '../prober.ts';
import type { Usage } from '../runtime.ts';
import type { Service } from '../service/service.ts';

export interface SleepVetoTools {
  /** The last reading of an instance, if there is one. */
  readonly usageOf: (service: string, instanceId: string) => Usage | undefined;
  readonly prober: Prober;
  readonly clock: Clock;
}

const ASK_TIMEOUT_MS = 5_000;
const LOOK_AGAIN_MS = 500;

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
    const objections = await Promise.all(
      service.serving.map(async (instance) => {
        if (cpuAbove !== undefined && (await this.#cpuPercent(service, instance)) > cpuAbove) return true;
        return probe !== undefined && (await this.#answers(service, instance, probe));
      }),
    );
    return objections.includes(true);
  }

  /** As last read. A stream of readings that has just broken is given time to come back; -1 when it does not. */
  async #cpuPercent({ name }: Service, { id }: Instance): Promise<number> {
    return this.#bounded(async (signal) => {
      for (;;) {
        const cpuRatio = this.#tools.usageOf(name, id)?.cpuRatio ?? null;
        if (cpuRatio !== null) return cpuRatio * 100;
        if (signal.aborted) return -1;
        await sleep(this.#tools.clock, LOOK_AGAIN_MS, signal);
      }
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
