import type { ServiceSpec } from '../config/service-spec.ts';
import type { Member, MemberObserver } from '../fleet/member.ts';
import {
  announceProxy,
  announceService,
  discoveryFilter,
  withdrawService,
  type Announcements,
  type Announcer,
} from './home-assistant-config.ts';
import type { MqttService } from './mqtt-service.ts';

/** What of a service shows in its announcement. */
function announcedAs({ source, scale }: ServiceSpec): string {
  return `${source.kind === 'url'} ${scale.min} ${scale.max}`;
}

/**
 * Takes back what was announced while MQTT_DISCOVERY was set, whichever services that were: who has switched it off wants
 * to see none of it any more.
 */
export function withdrawDiscovery(mqtt: MqttService, { topics, proxyId }: Pick<Announcer, 'topics' | 'proxyId'>): void {
  for (const filter of [discoveryFilter({ proxyId }), topics.proxyCommands(proxyId)]) {
    mqtt.subscribe({ filter, retained: true, optional: true }, ({ topic, payload, retain }) => {
      if (retain && payload.length > 0) mqtt.retain(topic, '');
    });
  }
}

/** Announces every service to Home Assistant, by its MQTT discovery, and takes back what is gone. */
export class HomeAssistant implements MemberObserver {
  readonly #mqtt: MqttService;
  readonly #announcer: () => Announcer;
  readonly #known = new Map<string, ServiceSpec>();
  #started = false;

  /** @param announcer asked when there is something to announce: our port is not known from the beginning */
  constructor(mqtt: MqttService, announcer: () => Announcer) {
    this.#mqtt = mqtt;
    this.#announcer = announcer;
  }

  /** Announces all that is known, and takes back what was announced in an earlier life and is gone. */
  start(): void {
    this.#started = true;
    const announcer = this.#announcer();
    this.#retain(announceProxy(announcer));
    for (const spec of this.#known.values()) this.#retain(announceService(spec, announcer));
    const subscription = { filter: discoveryFilter(announcer), retained: true };
    this.#mqtt.subscribe(subscription, ({ topic, payload, retain }) => {
      // What comes without the flag is what was announced just now.
      if (retain && payload.length > 0 && !this.#mqtt.retains(topic)) this.#mqtt.retain(topic, '');
    });
  }

  /** The switches can be used only while commands are taken. */
  commandsAccepted(accepted: boolean): void {
    const { topics, proxyId } = this.#announcer();
    this.#mqtt.retain(topics.proxyCommands(proxyId), accepted ? 'on' : 'off');
  }

  changed({ name, spec }: Pick<Member, 'name' | 'spec'>): void {
    const before = this.#known.get(name);
    this.#known.set(name, spec);
    if (!this.#started || (before && announcedAs(before) === announcedAs(spec))) return;
    this.#retain(announceService(spec, this.#announcer()));
  }

  removed(name: string): void {
    this.#known.delete(name);
    this.#retain(withdrawService(name, this.#announcer()));
  }

  #retain(announcements: Announcements): void {
    for (const [topic, payload] of announcements) this.#mqtt.retain(topic, payload);
  }
}
