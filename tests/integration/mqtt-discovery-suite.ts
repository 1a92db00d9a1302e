import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../src/fleet/event-bus.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { HomeAssistant, withdrawDiscovery } from '../../src/messaging/home-assistant.ts';
import { MqttService } from '../../src/messaging/mqtt-service.ts';
import { Topics } from '../../src/messaging/topics.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { until } from '../support/until.ts';
import type { BrokerUnderTest } from './mqtt-suite.ts';

/** What Home Assistant finds, whichever broker is between. */
export function mqttDiscoverySuite(
  name: string,
  kind: 'external' | 'embedded',
  createBroker: () => Promise<BrokerUnderTest>,
): void {
  describe(`home assistant discovery with ${name}`, () => {
    const clock = new SystemClock();
    const log = pino({ level: 'silent' });
    const topics = new Topics('r');
    const ends: (() => Promise<unknown>)[] = [];
    let broker: BrokerUnderTest;
    let mqtt: MqttService;
    let home: HomeAssistant;

    beforeEach(async () => {
      broker = await createBroker();
      ends.push(() => broker.dispose());
      await broker.start();
      const [url, bus] = [`mqtt://127.0.0.1:${broker.port}`, new EventBus(clock, log)];
      const reconnect = { initialMs: 20, maxMs: 50 };
      mqtt = new MqttService({ broker: { kind, url }, topics, proxyId: 'p1', bus, clock, log, reconnect });
      ends.push(() => mqtt.close());
      const dashboardUrl = 'https://proxy.example.localhost';
      const announcer = { topics, proxyId: 'p1', domain: 'example.localhost', dashboardUrl, version: '1' };
      home = new HomeAssistant(mqtt, () => announcer);
      mqtt.start();
    });

    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });

    const member = (service: string): Parameters<HomeAssistant['changed']>[0] => {
      return { name: service, spec: serviceSpec({ name: service, scale: { min: 0, max: 3, cooldownMs: 60_000 } }) };
    };
    const topicOf = (service: string): string => `homeassistant/switch/reveille_p1/${service}/config`;

    async function watch(): Promise<MqttWatcher> {
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'homeassistant');
      ends.push(() => watcher.close());
      return watcher;
    }

    async function retainedBySomebody(...announced: readonly string[]): Promise<void> {
      const somebody = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0 });
      for (const topic of announced) await somebody.publishAsync(topic, '{"name":"old"}', { qos: 1, retain: true });
      await somebody.endAsync();
    }

    it('keeps an announcement for every service, known before or after the start, for those who come late', async () => {
      home.changed(member('web'));
      home.start();
      home.changed(member('api'));
      const early = await watch();
      await until(() => early.heard.length === 17);
      const late = await watch();
      await until(() => late.heard.length === 17);
      expect(late.heard.every(({ retain }) => retain)).toBe(true);
      expect(JSON.parse(late.last(topicOf('web')) ?? '')).toMatchObject({ command_topic: 'r/web/command/set' });
    });

    it('takes all back of a service that leaves', async () => {
      home.start();
      for (const each of ['web', 'api']) home.changed(member(each));
      const early = await watch();
      await until(() => early.last(topicOf('web')));
      home.removed('web');
      await until(() => early.last('homeassistant/binary_sensor/reveille_p1/web_problem/config') === '');
      const late = await watch();
      await until(() => late.heard.length === 9);
      expect(late.heard.filter(({ topic }) => topic.includes('web'))).toEqual([]);
    });

    it('takes back what an earlier life announced, and nothing of other daemons', async () => {
      const theirs = 'homeassistant/switch/reveille_p2/gone/config';
      await retainedBySomebody(topicOf('gone'), theirs, topicOf('web'));
      const watcher = await watch();
      await until(() => watcher.heard.length === 3);
      home.changed(member('web'));
      home.start();
      await until(() => watcher.last(topicOf('gone')) === '');
      await until(() => watcher.last(topicOf('web'))?.includes('command_topic'));
      const late = await watch();
      await until(() => late.last(topicOf('web')));
      expect(watcher.last(theirs)).toContain('old');
      expect(watcher.payloads(topicOf('web'))).not.toContain('');
    });

    it('is taken back whole where it is switched off, and so is what tells whether commands are taken', async () => {
      const theirs = 'homeassistant/switch/reveille_p2/gone/config';
      await retainedBySomebody(topicOf('web'), 'homeassistant/sensor/reveille_p1/gone_cpu/config', theirs);
      await retainedBySomebody('r/proxy/p1/commands');
      withdrawDiscovery(mqtt, { topics, proxyId: 'p1' });
      await until(async () => {
        const late = await watch();
        const ours = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'r');
        ends.push(() => ours.close());
        await until(() => late.last(theirs) !== undefined && ours.last('r/proxy/p1/status') !== undefined);
        return late.heard.length === 1 && ours.last('r/proxy/p1/commands') === undefined;
      });
    });

    it('announces everything again in a broker that forgot', async () => {
      home.changed(member('web'));
      home.start();
      home.commandsAccepted(false);
      await until(() => mqtt.connected);
      await broker.stop();
      await until(() => !mqtt.connected);
      home.commandsAccepted(true);
      await broker.start();
      const watcher = await watch();
      await until(() => watcher.last(topicOf('web')));
      const ours = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'r/proxy');
      ends.push(() => ours.close());
      await until(() => ours.last('r/proxy/p1/commands') === 'on');
    });
  });
}
