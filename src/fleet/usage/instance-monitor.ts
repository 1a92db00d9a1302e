import type { MonitorSpec } from '../../config/service-spec.ts';
import type { Clock } from '../../lib/clock.ts';
import type { Logger } from '../../lib/logger.ts';
import type { EventBus } from '../event-bus.ts';
import { instanceId, type InstanceKey, type Runtime, type Usage } from '../runtime.ts';
import { SampleRing } from './sample-ring.ts';
import { CALM, judge, levelOf, ringing, type AlarmLevel, type AlarmState } from './usage-alarm.ts';
import type { UsageSample } from './usage-sample.ts';
import { UsageWatch } from './usage-watch.ts';

export interface InstanceMonitorTools {
  readonly runtime: Runtime;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  readonly inFlight: (service: string, instanceId: string) => number;
  readonly onSample: (sample: UsageSample) => void;
  /** Whether this process tells of it; of several that watch it one does. */
  readonly inCharge: (service: string, instanceId: string) => boolean;
}

export type Measure = 'cpu' | 'memory';

const WORDS = { cpu: 'CPU', memory: 'memory' } as const;
/** Five minutes at a sample a second. */
const KEPT_SAMPLES = 300;
/** Readings come about once a second, some a little early. */
const EARLY_MS = 500;

/** Watches what one instance uses: samples, and events when a threshold was crossed for long enough. */
export class InstanceMonitor {
  readonly #key: InstanceKey;
  readonly #id: string;
  readonly #tools: InstanceMonitorTools;
  readonly #ring = new SampleRing(KEPT_SAMPLES);
  readonly #alarms: Record<Measure, AlarmState> = { cpu: CALM, memory: CALM };
  /** What this process has told last: not all of it may be kept yet. */
  readonly #told: Record<Measure, AlarmLevel> = { cpu: 'calm', memory: 'calm' };
  /** What was judged last. */
  readonly #percent: Record<Measure, number> = { cpu: 0, memory: 0 };
  #spec: MonitorSpec;
  #runtimeId: string | undefined;
  #watch: UsageWatch | undefined;
  #latest: Usage | undefined;
  /** Monotonic; when the last sample was taken. */
  #sampledAtMs: number | undefined;
  /** The CPU readings since then. */
  #cpuRatios: number[] = [];

  constructor(key: InstanceKey, spec: MonitorSpec, tools: InstanceMonitorTools) {
    this.#key = key;
    this.#id = instanceId(key);
    this.#spec = spec;
    this.#tools = tools;
  }

  /** The last reading; undefined while it does not run or cannot be read. */
  get latest(): Usage | undefined {
    return this.#latest;
  }

  get following(): boolean {
    return this.#runtimeId !== undefined;
  }

  /** The oldest first; also those from before it was stopped. */
  samples(): UsageSample[] {
    return this.#ring.all().map((values) => this.#sample(values));
  }

  /** It runs, under this handle: one stream is kept open. */
  follow(runtimeId: string, spec: MonitorSpec): void {
    this.#spec = spec;
    if (this.#runtimeId === runtimeId) return;
    this.rest();
    const { runtime, clock, log } = this.#tools;
    this.#runtimeId = runtimeId;
    this.#watch = new UsageWatch({
      ...{ instanceId: this.#id, runtimeId, runtime, clock, log },
      onReading: (usage) => this.#read(usage),
      onLost: () => this.#lose(),
    });
    this.#watch.start();
  }

  /**
   * What was told of it last, in an earlier life of the daemon or by another one: it is not told again, and its end will
   * be. What has come since, while nobody was there to tell it, is told now.
   */
  recall(measure: Measure, told: AlarmLevel): void {
    if (!this.following) return;
    const level = levelOf(this.#alarms[measure]);
    if (level === 'calm' && told !== 'calm') this.#alarms[measure] = ringing(told);
    else if (level !== 'calm' && level !== told && level !== this.#told[measure]) this.#tell(measure, level, told);
  }

  /** It runs no more: nothing is known of it, and what was too much is over. */
  rest(): void {
    if (this.#runtimeId === undefined) return;
    this.close();
    for (const measure of ['cpu', 'memory'] as const) {
      const from = levelOf(this.#alarms[measure]);
      this.#alarms[measure] = CALM;
      if (from === 'calm') continue;
      const detail = `${this.#id} no longer runs, and no longer uses too much ${WORDS[measure]}`;
      this.#emit(measure, 'calm', { from, reason: 'stopped', detail });
    }
  }

  close(): void {
    this.#watch?.close();
    this.#watch = undefined;
    this.#runtimeId = undefined;
    this.#lose();
  }

  #lose(): void {
    this.#latest = undefined;
    this.#sampledAtMs = undefined;
    this.#cpuRatios = [];
    // What came before a gap has not been held through it.
    for (const measure of ['cpu', 'memory'] as const) this.#judge(measure, null);
  }

  #read(usage: Usage): void {
    this.#latest = usage;
    if (usage.cpuRatio !== null) this.#cpuRatios.push(usage.cpuRatio);
    const nowMs = this.#tools.clock.now();
    if (this.#sampledAtMs !== undefined && nowMs - this.#sampledAtMs < this.#spec.everyMs - EARLY_MS) return;
    this.#sampledAtMs = nowMs;
    // Each reading is the mean since the one before, so their mean is that of the whole time.
    const cpuRatio = mean(this.#cpuRatios);
    this.#cpuRatios = [];
    this.#keep({ ...usage, cpuRatio });
    const { memoryBytes, memoryLimitBytes } = usage;
    this.#judge('cpu', cpuRatio === null ? null : cpuRatio * 100);
    this.#judge('memory', memoryBytes === null ? null : (memoryBytes / memoryLimitBytes) * 100);
  }

  #keep(usage: Usage): void {
    const { clock, inFlight, onSample } = this.#tools;
    const values = { ...usage, atEpochMs: clock.epochMs(), inFlight: inFlight(this.#key.service, this.#id) };
    this.#ring.add(values);
    if (this.#mayTell) onSample(this.#sample(values));
  }

  #judge(measure: Measure, percent: number | null): void {
    const thresholds = this.#spec[measure];
    const before = levelOf(this.#alarms[measure]);
    const rule = { thresholds, forMs: this.#spec.forMs };
    this.#alarms[measure] = judge(this.#alarms[measure], percent, this.#tools.clock.now(), rule);
    const level = levelOf(this.#alarms[measure]);
    if (percent === null) return;
    this.#percent[measure] = percent;
    if (level !== before) this.#tell(measure, level, before);
  }

  #tell(measure: Measure, level: AlarmLevel, from: AlarmLevel): void {
    const thresholds = this.#spec[measure];
    const threshold = level === 'calm' ? thresholds.warn : thresholds[level];
    const rounded = Math.round(this.#percent[measure] * 10) / 10;
    const use = `${this.#id} uses ${rounded} % of its ${WORDS[measure]} limit`;
    const detail = `${use} (${level === 'calm' ? 'warn' : level} is at ${threshold} %)`;
    this.#emit(measure, level, { percent: rounded, threshold, from, detail });
  }

  #emit(measure: Measure, level: AlarmLevel, data: Record<string, unknown>): void {
    const type = `${measure}.${level === 'calm' ? 'recovered' : level}` as const;
    if (!this.#mayTell) return;
    this.#told[measure] = level;
    this.#tools.bus.emit(type, this.#key.service, data, this.#id);
  }

  get #mayTell(): boolean {
    return this.#tools.inCharge(this.#key.service, this.#id);
  }

  #sample(values: Omit<UsageSample, 'service' | 'instanceId'>): UsageSample {
    return { service: this.#key.service, instanceId: this.#id, ...values };
  }
}

function mean(values: readonly number[]): number | null {
  if (values.length === 0) return null;
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
