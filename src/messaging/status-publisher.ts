import type { Member, MemberObserver } from '../fleet/member.ts';
import { recordOf } from '../fleet/service-record.ts';
import type { Clock } from '../lib/clock.ts';
import type { MqttService } from './mqtt-service.ts';
import { toServiceStatusMessage } from './service-status-message.ts';

/** Keeps the retained status topics in step with the fleet; says nothing when nothing but the time changed. */
export class StatusPublisher implements MemberObserver {
  readonly #mqtt: MqttService;
  readonly #clock: Clock;
  readonly #proxyId: string;
  readonly #last = new Map<string, string>();

  constructor(mqtt: MqttService, clock: Clock, proxyId: string) {
    this.#mqtt = mqtt;
    this.#clock = clock;
    this.#proxyId = proxyId;
  }

  changed(member: Member): void {
    const message = toServiceStatusMessage(recordOf(member, 0, this.#clock.epochMs(), this.#proxyId));
    const told = JSON.stringify({ ...message, at: '' });
    if (this.#last.get(member.name) === told) return;
    this.#last.set(member.name, told);
    this.#mqtt.publishStatus(message);
  }

  removed(name: string): void {
    this.#last.delete(name);
    this.#mqtt.removeStatus(name);
  }
}
