import type { InstanceState } from '../instance/instance-state.ts';
import { InstanceMonitor, type InstanceMonitorTools, type Measure } from './instance-monitor.ts';
import type { Instance } from '../instance/instance.ts';
import type { Usage } from '../runtime.ts';
import type { Service } from '../service/service.ts';
import type { AlarmLevel } from './usage-alarm.ts';
import type { UsageSample } from './usage-sample.ts';

export type MonitorTools = Omit<InstanceMonitorTools, 'onSample'>;

/** In which states an instance runs, and so uses something. */
const RUNS: ReadonlySet<InstanceState['kind']> = new Set(['probing', 'ready', 'unhealthy', 'draining']);

/** CPU and memory of everything that runs, from one stream an instance, which begins and ends with it. */
export class Monitor {
  readonly #tools: InstanceMonitorTools;
  readonly #services = new Map<string, Map<string, InstanceMonitor>>();
  readonly #listeners = new Set<(sample: UsageSample) => void>();
  #closed = false;

  constructor(tools: MonitorTools) {
    const onSample = (sample: UsageSample): void => this.#listeners.forEach((listener) => listener(sample));
    this.#tools = { ...tools, onSample };
  }

  /** Hears of every sample, for whoever keeps them longer. Must not throw, must not wait. */
  onSample(listener: (sample: UsageSample) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The last reading of an instance; undefined, which is not zero, for one that does not run or cannot be read. */
  usageOf(service: string, id: string): Usage | undefined {
    return this.#services.get(service)?.get(id)?.latest;
  }

  /** The last samples of all instances of a service, the oldest first. */
  samples(service: string): UsageSample[] {
    const monitors = [...(this.#services.get(service)?.values() ?? [])];
    return monitors.flatMap((monitor) => monitor.samples()).sort((a, b) => a.atEpochMs - b.atEpochMs);
  }

  follows(service: string, id: string): boolean {
    return this.#services.get(service)?.get(id)?.following ?? false;
  }

  /** An alarm as an earlier life of the daemon, or another one, has told it last; nothing for an instance that does not run. */
  recall(service: string, id: string, measure: Measure, told: AlarmLevel): void {
    this.#services.get(service)?.get(id)?.recall(measure, told);
  }

  /** Looks at a service whose instances or spec changed. */
  consider(service: Service): void {
    if (this.#closed) return;
    for (const instance of service.instances) {
      const { runtimeId, state } = instance;
      if (runtimeId !== undefined && RUNS.has(state.kind)) {
        this.#of(service, instance).follow(runtimeId, service.spec.monitor);
      } else {
        this.#services.get(service.name)?.get(instance.id)?.rest();
      }
    }
  }

  forget(service: string): void {
    for (const monitor of this.#services.get(service)?.values() ?? []) monitor.rest();
    this.#services.delete(service);
  }

  close(): void {
    this.#closed = true;
    for (const monitors of this.#services.values()) for (const monitor of monitors.values()) monitor.close();
  }

  #of(service: Service, { key, id }: Instance): InstanceMonitor {
    const monitors = this.#services.get(service.name) ?? new Map<string, InstanceMonitor>();
    this.#services.set(service.name, monitors);
    const known = monitors.get(id);
    if (known) return known;
    const monitor = new InstanceMonitor(key, service.spec.monitor, this.#tools);
    monitors.set(id, monitor);
    return monitor;
  }
}
