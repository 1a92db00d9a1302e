import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { ActivityBoard } from '../activity-board.ts';
import { Autoscaler } from './autoscaler.ts';
import type { Company } from '../company/company.ts';
import type { EventBus } from '../event-bus.ts';
import { IdleSleeper } from './idle-sleeper.ts';
import { Monitor } from '../usage/monitor.ts';
import type { Prober } from '../prober.ts';
import type { Runtime } from '../runtime.ts';
import type { Service } from '../service/service.ts';
import { SleepVeto } from './sleep-veto.ts';

export interface KeepersTools {
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly activity: ActivityBoard;
  readonly company: Company;
  /** The services that need this one. */
  readonly dependentsOf: (name: string) => readonly Service[];
  /** Whether this process has started that instance. */
  readonly startedHere: (service: string, instanceId: string) => boolean;
}

/** Those who look after services by themselves: what they use, how many they are, when they sleep. */
export class Keepers {
  readonly monitor: Monitor;
  readonly #autoscaler: Autoscaler;
  readonly #sleeper: IdleSleeper;

  constructor(tools: KeepersTools) {
    const { runtime, prober, bus, clock, log, activity, company, dependentsOf } = tools;
    const inFlight = (name: string, id: string): number => activity.inFlightOf(name, id);
    const monitor = new Monitor({
      ...{ runtime, bus, clock, log, inFlight },
      inCharge: (name, id) => company.inCharge(tools.startedHere(name, id)),
    });
    this.monitor = monitor;
    this.#autoscaler = new Autoscaler({
      ...{ clock, log },
      loadOf: (name, id) => ({
        cpuRatio: monitor.usageOf(name, id)?.cpuRatio ?? null,
        inFlight: inFlight(name, id),
      }),
      mayLook: ({ startedHere }) => company.inCharge(startedHere),
      mayScale: ({ startedHere }) => company.confirm(startedHere, true),
    });
    this.#sleeper = new IdleSleeper({
      ...{ activity, clock, log, dependentsOf },
      veto: new SleepVeto({ usageOf: (name, id) => monitor.usageOf(name, id), prober, clock }),
      mayRest: ({ startedHere }) => company.confirm(startedHere, true),
    });
  }

  /** Its instances or its spec changed. */
  consider(service: Service): void {
    this.monitor.consider(service);
    this.#autoscaler.consider(service);
    this.#sleeper.consider(service);
  }

  /** What it waits for changed: whoever needs it sleeps or is awake, or this process decides about it now. */
  considerSleep(service: Service): void {
    this.#sleeper.consider(service);
  }

  forget(name: string): void {
    this.monitor.forget(name);
    this.#autoscaler.forget(name);
    this.#sleeper.forget(name);
  }

  close(): void {
    this.#sleeper.close();
    this.#autoscaler.close();
    this.monitor.close();
  }
}
