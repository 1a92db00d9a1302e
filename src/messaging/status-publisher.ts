import type { Member, MemberObserver } from '../fleet/member.ts';
import { recordOf } from '../fleet/records/service-record.ts';
import type { Clock } from '../lib/clock.ts';
import type { MqttService } from './mqtt-service.ts';
import { toServiceStatusMessage, type ServiceStatusMessage } from './service-status-message.ts';
import type { Speaker } from './speaker.ts';

export interface StatusPublisherTools {
  readonly mqtt: Pick<MqttService, 'publishStatus' | 'removeStatus' | 'forgetStatus'>;
  readonly clock: Clock;
  readonly proxyId: string;
  /** Of several daemons one tells it; absent where there cannot be several. */
  readonly speaker?: Pick<Speaker, 'speaks' | 'onTurn'>;
}

/**
 * Keeps the retained status topics in step with the fleet; says nothing when nothing but the time changed. It begins with
 * `start`: until what runs is adopted, what an earlier life has left in the broker is nearer to the truth.
 */
export class StatusPublisher implements MemberObserver {
  readonly #tools: StatusPublisherTools;
  /** What is to be told of each service; undefined = it is gone. */
  readonly #latest = new Map<string, ServiceStatusMessage | undefined>();
  /** What has changed before the start; undefined once it has started. */
  #waiting: Map<string, Member> | undefined = new Map();
  #speaks: boolean;

  constructor(tools: StatusPublisherTools) {
    this.#tools = tools;
    this.#speaks = tools.speaker?.speaks ?? true;
    tools.speaker?.onTurn(() => this.#turn());
  }

  start(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    for (const member of waiting?.values() ?? []) this.changed(member);
  }

  changed(member: Member): void {
    if (this.#waiting) {
      this.#waiting.set(member.name, member);
      return;
    }
    const { clock, proxyId } = this.#tools;
    const message = toServiceStatusMessage(recordOf(member, 0, clock.epochMs(), proxyId));
    const before = this.#latest.get(member.name);
    if (before && JSON.stringify({ ...message, at: before.at }) === JSON.stringify(before)) return;
    this.#latest.set(member.name, message);
    if (this.#speaks) this.#tell(member.name);
  }

  removed(name: string): void {
    this.#waiting?.delete(name);
    this.#latest.set(name, undefined);
    if (this.#speaks) this.#tell(name);
  }

  /** Who begins to speak tells all, for nobody knows what the one before has told; who no longer does tells nothing. */
  #turn(): void {
    const speaks = this.#tools.speaker?.speaks ?? true;
    if (speaks === this.#speaks) return;
    this.#speaks = speaks;
    for (const name of this.#latest.keys()) {
      if (speaks) this.#tell(name);
      else this.#tools.mqtt.forgetStatus(name);
    }
  }

  #tell(name: string): void {
    const message = this.#latest.get(name);
    if (message) this.#tools.mqtt.publishStatus(message);
    else this.#tools.mqtt.removeStatus(name);
  }
}
