import type { Fleet } from '../fleet/fleet.ts';
import type { Member } from '../fleet/member.ts';
import type { Clock, Timer } from '../lib/clock.ts';
import type { MqttService } from './mqtt-service.ts';
import type { Topics } from './topics.ts';

export interface UsagePublisherTools {
  readonly mqtt: Pick<MqttService, 'connected' | 'send'>;
  readonly topics: Topics;
  readonly fleet: Pick<Fleet, 'members'> & { readonly monitor: Pick<Fleet['monitor'], 'usageOf'> };
  readonly clock: Clock;
  /** Of several daemons one tells it. */
  readonly speaks: () => boolean;
}

/** The payload of `<root>/<service>/usage`. */
interface UsageMessage {
  readonly service: string;
  /** Percent of its limit, the mean of its instances; null where nothing runs or can be read. */
  readonly cpu: number | null;
  /** Bytes of all its instances together; null where nothing runs or can be read. */
  readonly memory: number | null;
  /** ISO 8601. */
  readonly at: string;
}

const EVERY_MS = 10_000;

/** Tells what services use, for those who show it: not retained, because what was used a while ago says nothing. */
export class UsagePublisher {
  readonly #tools: UsagePublisherTools;
  /** Those that have used something when it was last told. */
  readonly #running = new Set<string>();
  #timer: Timer | undefined;

  constructor(tools: UsagePublisherTools) {
    this.#tools = tools;
  }

  start(): void {
    this.#timer = this.#tools.clock.after(EVERY_MS, () => {
      // What waits for a broker that is away would be old when it comes.
      const { mqtt, fleet, speaks } = this.#tools;
      if (mqtt.connected && speaks()) for (const member of fleet.members()) this.#tell(member);
      this.start();
    });
  }

  close(): void {
    this.#timer?.cancel();
  }

  #tell(member: Member): void {
    const { mqtt, topics } = this.#tools;
    const { name } = member;
    const message = this.#usageOf(member);
    const known = message.cpu !== null || message.memory !== null;
    // That it no longer uses anything is told once.
    if (!known && !this.#running.delete(name)) return;
    if (known) this.#running.add(name);
    mqtt.send({ topic: topics.serviceUsage(name), payload: JSON.stringify(message), retain: false });
  }

  #usageOf({ name, instanceViews }: Member): UsageMessage {
    const { fleet, clock } = this.#tools;
    const usages = instanceViews.flatMap(({ id }) => fleet.monitor.usageOf(name, id) ?? []);
    const ratios = usages.flatMap(({ cpuRatio }) => cpuRatio ?? []);
    const bytes = usages.flatMap(({ memoryBytes }) => memoryBytes ?? []);
    return {
      service: name,
      cpu: ratios.length === 0 ? null : Math.round((sum(ratios) / ratios.length) * 1_000) / 10,
      memory: bytes.length === 0 ? null : sum(bytes),
      at: new Date(clock.epochMs()).toISOString(),
    };
  }
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
