import { connectAsync, type MqttClient } from 'mqtt';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Service } from '../../src/fleet/service/service.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { CommandTopics } from '../../src/messaging/command-topics.ts';
import { MqttService } from '../../src/messaging/mqtt-service.ts';
import { Topics } from '../../src/messaging/topics.ts';
import { fleetSpec } from '../support/set-ups/fleet.ts';
import { TestManagement } from '../support/set-ups/management.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { until } from '../support/until.ts';
import type { BrokerUnderTest } from './mqtt-suite.ts';

interface Reply {
  readonly ok: boolean;
  readonly service: string;
  readonly command: string;
  readonly code?: string;
  readonly detail?: string;
}

/** What command topics do, and what they refuse, whichever broker is between. */
export function mqttCommandSuite(
  name: string,
  kind: 'external' | 'embedded',
  createBroker: () => Promise<BrokerUnderTest>,
): void {
  describe(`mqtt commands with ${name}`, () => {
    const clock = new SystemClock();
    const topics = new Topics('r');
    let broker: BrokerUnderTest;
    let relay: TcpRelay;
    let management: TestManagement;
    let lines: string[];
    let mqtt: MqttService;
    let commands: CommandTopics;
    let sender: MqttClient;
    let markers = 0;

    beforeEach(async () => {
      broker = await createBroker();
      await broker.start();
      relay = new TcpRelay(broker.port);
      await relay.start();
      // Ready is what answers on TCP: the fake instances listen and say nothing.
      const scale = { min: 0, max: 3, cooldownMs: 0 };
      const readiness = { strategy: { kind: 'tcp' as const } };
      management = await TestManagement.start([fleetSpec('web', { scale, readiness })]);
      lines = [];
      const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
      const url = `mqtt://127.0.0.1:${relay.port}`;
      const reconnect = { initialMs: 20, maxMs: 50 };
      const { bus, fleet } = management;
      mqtt = new MqttService({ broker: { kind, url }, topics, proxyId: 'p1', bus, clock, log, reconnect });
      mqtt.start();
      commands = new CommandTopics({ mqtt, topics, fleet, clock, log });
      const protocolVersion = kind === 'external' ? 5 : 4;
      sender = await connectAsync(`mqtt://127.0.0.1:${broker.port}`, { reconnectPeriod: 0, protocolVersion });
      sender.on('error', () => undefined);
      await until(() => mqtt.connected);
    });

    afterEach(async () => {
      await sender.endAsync(true);
      await mqtt.close();
      await management.close();
      await relay.close();
      await broker.dispose();
    });

    const web = (): Service => management.fleet.managed('web');
    const logged = (text: string): number => lines.filter((line) => line.includes(text)).length;
    const say = (topic: string, payload = '', retain = false): Promise<unknown> =>
      sender.publishAsync(topic, payload, { qos: 1, retain });

    /** Says something harmless until it is heard, and a last thing: from then on everything is heard, and all before was. */
    async function listening(): Promise<void> {
      await until(async () => {
        await say('r/nobody/command/wake');
        return logged('there is no service nobody') > 0;
      });
      markers += 1;
      await say(`r/marker-${markers}/command/wake`);
      await until(() => logged(`there is no service marker-${markers} `) > 0);
      lines.length = 0;
    }

    async function accepting(): Promise<void> {
      commands.accept(true);
      await listening();
    }

    /** Cuts the line and keeps it cut until it was noticed. */
    async function sever(): Promise<void> {
      relay.severed = true;
      relay.cut();
      await until(() => !mqtt.connected);
    }

    it('wakes, scales and puts to sleep', async () => {
      await accepting();
      await say('r/web/command/wake');
      await until(() => web().status === 'awake');
      await say('r/web/command/scale', '{"replicas":2}');
      await until(() => web().desired === 2 && web().status === 'awake');
      await say('r/web/command/sleep', '{"strategy":"pause"}');
      await until(() => web().status === 'asleep');
      expect(web().instanceViews.map(({ state }) => state)).toContain('paused');
      await say('r/web/command/set', 'ON');
      await until(() => web().status === 'awake');
      await say('r/web/command/set', 'OFF');
      await until(() => web().status === 'asleep');
    });

    it('does nothing unless commands are accepted, which may change at any time', async () => {
      await say('r/web/command/wake');
      await accepting();
      await say('r/web/command/wake');
      await until(() => web().status === 'awake');
      commands.accept(false);
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'r');
      await say('r/web/command/sleep');
      await until(() => watcher.last('r/web/command/sleep') !== undefined);
      await watcher.close();
      commands.accept(true);
      await listening();
      expect(web().status).toBe('awake');
    });

    it('ignores what the broker retains, also after a reconnect', async () => {
      await say('r/web/command/scale', '2', true);
      await accepting();
      await sever();
      relay.severed = false;
      await until(() => mqtt.connected);
      await listening();
      expect(web().status).toBe('asleep');
      expect(web().desired).toBe(1);
    });

    it('takes commands again after a reconnect, and not those that were given meanwhile', async () => {
      await accepting();
      await sever();
      await say('r/web/command/scale', '3');
      relay.severed = false;
      await until(() => mqtt.connected);
      await listening();
      expect(web().desired).toBe(1);
      await say('r/web/command/wake');
      await until(() => web().status === 'awake');
    });

    it('survives hostile input, says what is wrong with it, and goes on', async () => {
      await accepting();
      await say('r/web/command/wake', 'x'.repeat(50_000));
      await say('r/web/command/scale', '{"replicas":1e9}');
      await say('r/web/command/sleep', '{"strategy":"rm -rf"}');
      await say('r/web/command/explode');
      await say(`r/${'n'.repeat(5000)}/command/wake`);
      await say('r/proxy/command/sleep');
      await say('r/constructor/command/wake');
      await say('r/web/command/wake');
      await until(() => web().status === 'awake');
      expect(logged('came to nothing')).toBe(6);
      expect(Math.max(...lines.map((line) => line.length))).toBeLessThan(600);
      expect(lines.join()).not.toContain('rm -rf');
    });

    it('takes a hundred commands a minute, and says once that it ignores the rest', async () => {
      await accepting();
      await Promise.all(Array.from({ length: 150 }, () => say('r/nobody/command/wake')));
      await until(() => logged('the rest of them is ignored') === 1);
      await say('r/web/command/wake');
      await until(() => logged('came to nothing') > 0);
      expect(logged('came to nothing')).toBeLessThan(100);
      expect(web().status).toBe('asleep');
    });

    describe.skipIf(kind === 'embedded')('answers', () => {
      const replies: { topic: string; reply: Reply; correlation: string | undefined }[] = [];

      beforeEach(async () => {
        replies.length = 0;
        sender.on('message', (topic, payload, { properties }) => {
          const correlation = properties?.correlationData?.toString();
          replies.push({ topic, reply: JSON.parse(payload.toString()) as Reply, correlation });
        });
        await sender.subscribeAsync(['replies/#', 'r/db/#'], { qos: 1 });
      });

      const ask = (topic: string, payload: string, responseTopic: string): Promise<unknown> =>
        sender.publishAsync(topic, payload, {
          qos: 1,
          properties: { responseTopic, correlationData: Buffer.from(payload) },
        });

      it('are given on the response topic, with the correlation data', async () => {
        await accepting();
        await ask('r/web/command/wake', '{}', 'replies/1');
        await until(() => replies.length === 1);
        expect(replies[0]).toMatchObject({
          topic: 'replies/1',
          correlation: '{}',
          reply: { ok: true, service: 'web', command: 'wake', status: 'awake', replicas: { desired: 1, ready: 1 } },
        });
      });

      it('say what came of a command that failed', async () => {
        await accepting();
        await ask('r/web/command/scale', '9', 'replies/scale');
        await ask('r/web/command/scale', 'many', 'replies/scale');
        await ask('r/nobody/command/sleep', '', 'replies/scale');
        await until(() => replies.length === 3);
        expect(replies.map(({ reply }) => [reply.ok, reply.service, reply.code]).sort()).toEqual([
          [false, 'nobody', 'unknown_service'],
          [false, 'web', 'command_invalid'],
          [false, 'web', 'scale_out_of_range'],
        ]);
      });

      it('are never given on topics that are ours', async () => {
        await accepting();
        for (const topic of ['r/db/status', 'r/db/command/wake', 'r/db/event/instance.ready']) {
          await ask('r/web/command/wake', '', topic);
        }
        await until(() => logged('gets no answer') === 3);
        await ask('r/web/command/wake', '', 'replies/last');
        await until(() => replies.length > 0);
        expect(replies.map(({ topic }) => topic)).toEqual(['replies/last']);
      });
    });
  });
}
