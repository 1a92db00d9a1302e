import type { Member, MemberObserver } from '../fleet/member.ts';
import { recordOf } from '../fleet/records/service-record.ts';
import type { Clock } from '../lib/clock.ts';
import type { MqttService } from './mqtt-service.ts';
import { toServiceStatusMessage } from './service-status-message.ts';

type StatusTopics = Pick<MqttService, 'publishStatus' | 'removeStatus'>;

/**
 * Keeps the retained status topics in step with the fleet; says nothing when nothing but the time changed. It begins with
 * `start`: until what runs is adopted, what an earlier life has left in the broker is nearer to the truth.
 */
export class StatusPublisher implements MemberObserver {
  readonly #mqtt: StatusTopics;
  readonly #clock: Clock;
  readonly #proxyId: string;
  readonly #last = new Map<string, string>();
  /** What has changed before the start; undefined once it has started. */
  #waiting: Map<string, Member> | undefined = new Map();

  constructor(mqtt: StatusTopics, clock: Clock, proxyId: string) {
    this.#mqtt = mqtt;
    this.#clock = clock;
    this.#proxyId = proxyId;
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
    const message = toServiceStatusMessage(recordOf(member, 0, this.#clock.epochMs(), this.#proxyId));
    const told = JSON.stringify({ ...message, at: '' });
    if (this.#last.get(member.name) === told) return;
    this.#last.set(member.name, told);
    this.#mqtt.publishStatus(message);
  }

  removed(name: string): void {
    this.#last.delete(name);
    this.#waiting?.delete(name);
    this.#mqtt.removeStatus(name);
  }
}
