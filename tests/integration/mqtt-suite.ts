import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../src/fleet/event-bus.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import { MqttService } from '../../src/messaging/mqtt-service.ts';
import { Topics } from '../../src/messaging/topics.ts';
import type { ServiceStatusMessage } from '../../src/messaging/service-status-message.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { TcpRelay } from '../support/relays/tcp-relay.ts';
import { until } from '../support/until.ts';

/** A broker that can go away and come back, on one port and without a memory. */
export interface BrokerUnderTest {
  readonly port: number;
  start(): Promise<void>;
  stop(): Promise<void>;
  dispose(): Promise<void>;
}

export function statusOf(service: string, changes: Partial<ServiceStatusMessage> = {}): ServiceStatusMessage {
  return {
    service,
    status: 'awake',
    replicas: { desired: 1, ready: 1 },
    instances: [{ id: `${service}-1`, state: 'ready', since: '2026-11-01T10:00:00.000Z', upstream: '127.0.0.1:3000' }],
    at: '2026-11-01T10:00:00.000Z',
    ...changes,
  };
}

/** What subscribers are promised, whichever broker is between. */
export function mqttSuite(
  name: string,
  kind: 'external' | 'embedded',
  createBroker: () => Promise<BrokerUnderTest>,
  host = '127.0.0.1',
): void {
  describe(`mqtt service with ${name}`, () => {
    const root = 'house/services';
    const online = `${root}/proxy/p1/status`;
    let broker: BrokerUnderTest;
    let relay: TcpRelay;
    let bus: EventBus;
    let lines: string[];
    const clock = new SystemClock();
    const services: MqttService[] = [];
    const watchers: MqttWatcher[] = [];

    beforeEach(async () => {
      broker = await createBroker();
      await broker.start();
      relay = new TcpRelay(broker.port);
      await relay.start();
      lines = [];
      bus = new EventBus(clock, pino({ level: 'silent' }));
    });

    afterEach(async () => {
      await Promise.all(watchers.splice(0).map((watcher) => watcher.close()));
      await Promise.all(services.splice(0).map((service) => service.close()));
      await relay.close();
      await broker.dispose();
    });

    function start(): MqttService {
      const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
      const url = `mqtt://${host}:${relay.port}`;
      const reconnect = { initialMs: 20, maxMs: 50 };
      const service = new MqttService({
        broker: { kind, url },
        topics: new Topics(root),
        proxyId: 'p1',
        bus,
        clock,
        log,
        reconnect,
        patience: { connectMs: 10_000, acknowledgeMs: 30_000, farewellMs: 10_000 },
      });
      services.push(service);
      service.start();
      return service;
    }

    async function connected(): Promise<MqttService> {
      const service = start();
      await until(() => service.connected);
      return service;
    }

    async function watch(): Promise<MqttWatcher> {
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, root);
      watchers.push(watcher);
      return watcher;
    }

    /** Cuts the line and keeps it cut until the service has noticed. */
    async function sever(service: MqttService): Promise<void> {
      relay.severed = true;
      relay.cut();
      await until(() => !service.connected);
    }

    it('shows a subscriber that comes late the retained status of services and proxy', async () => {
      const service = await connected();
      service.publishStatus(statusOf('web', { status: 'waking' }));
      service.publishStatus(statusOf('web'));
      const early = await watch();
      await until(() => early.last(`${root}/web/status`)?.includes('awake'));
      const watcher = await watch();
      await until(() => watcher.heard.length === 2);
      expect(watcher.heard).toContainEqual({ topic: online, payload: 'online', retain: true });
      const status = watcher.heard.find((heard) => heard.topic === `${root}/web/status`);
      expect(status?.retain).toBe(true);
      expect(JSON.parse(status!.payload)).toEqual(statusOf('web'));
    });

    it('publishes each event as a CloudEvent and once more on the network topic, in order and not retained', async () => {
      await connected();
      const watcher = await watch();
      bus.emit('instance.ready', 'web', { totalMs: 310 }, 'web-1');
      bus.emit('service.awake', 'web');
      await until(() => watcher.payloads(`${root}/network`).length === 2);
      const [event] = watcher.payloads(`${root}/web/event/instance.ready`).map((each) => JSON.parse(each) as object);
      expect(event).toMatchObject({
        specversion: '1.0',
        source: 'reveille/p1',
        type: 'instance.ready',
        subject: 'web/web-1',
        data: { totalMs: 310 },
      });
      const network = watcher.payloads(`${root}/network`).map((each) => JSON.parse(each) as object);
      expect(network).toMatchObject([
        { service: 'web', message: { event: 'instance', action: 'ready', instance: 'web-1', totalMs: 310 } },
        { service: 'web', message: { event: 'service', action: 'awake' } },
      ]);
      const late = await watch();
      await until(() => late.last(online) !== undefined);
      expect(late.heard.map((heard) => heard.topic)).toEqual([online]);
    });

    it('is reported offline by its will when the line is cut, and online again afterwards', async () => {
      const service = await connected();
      const watcher = await watch();
      await until(() => watcher.last(online) === 'online');
      await sever(service);
      await until(() => watcher.last(online) === 'offline');
      relay.severed = false;
      await until(() => watcher.last(online) === 'online');
      expect(service.connected).toBe(true);
    });

    it('says offline itself when it is closed, after all that waited has gone out', async () => {
      const service = await connected();
      const watcher = await watch();
      for (let n = 0; n < 100; n += 1) bus.emit('scale.up', 'web', { n });
      await service.close();
      await until(() => watcher.last(online) === 'offline');
      expect(watcher.payloads(`${root}/web/event/scale.up`)).toHaveLength(100);
      expect(service.connected).toBe(false);
      await expect(service.close()).resolves.toBeUndefined();
    });

    it('connects by itself when the broker comes up after it, and says it once each way', async () => {
      await broker.stop();
      const service = start();
      service.publishStatus(statusOf('web'));
      bus.emit('wake.requested', 'web');
      await until(() => relay.connections >= 5);
      expect(service.connected).toBe(false);
      expect(lines.filter((line) => line.includes('cannot connect'))).toHaveLength(1);
      await broker.start();
      await until(() => service.connected);
      const watcher = await watch();
      await until(() => watcher.last(`${root}/web/status`) !== undefined);
      expect(lines.filter((line) => line.includes('connected to the MQTT broker'))).toHaveLength(1);
    });

    it('makes the retained picture true again in a broker that forgot everything', async () => {
      const service = await connected();
      service.publishStatus(statusOf('web'));
      service.publishStatus(statusOf('api'));
      await broker.stop();
      await until(() => !service.connected);
      expect(lines.join()).toContain('lost the MQTT broker: the broker hung up. ');
      service.publishStatus(statusOf('web', { status: 'failed' }));
      service.publishStatus(statusOf('web', { status: 'asleep' }));
      await broker.start();
      const watcher = await watch();
      await until(() => watcher.last(`${root}/api/status`) && watcher.last(`${root}/web/status`));
      expect(watcher.payloads(`${root}/web/status`)).toHaveLength(1);
      expect(watcher.last(`${root}/web/status`)).toContain('"asleep"');
      expect(watcher.last(online)).toBe('online');
    });

    it('takes the retained status of a removed service away, also of one removed while the line was cut', async () => {
      const service = await connected();
      const watcher = await watch();
      for (const each of ['web', 'api', 'db']) service.publishStatus(statusOf(each));
      await until(() => watcher.last(`${root}/db/status`));
      service.removeStatus('web');
      await until(() => watcher.last(`${root}/web/status`) === '');
      await sever(service);
      service.removeStatus('api');
      relay.severed = false;
      await until(() => watcher.last(`${root}/api/status`) === '');
      const late = await watch();
      await until(() => late.last(`${root}/db/status`));
      expect(late.heard.map((heard) => heard.topic).sort()).toEqual([`${root}/db/status`, online]);
    });

    it('keeps the newest thousand events while the line is cut, counts the others, and sends each once in order', async () => {
      const service = await connected();
      const watcher = await watch();
      await sever(service);
      const dropped = service.dropped;
      for (let n = 0; n < 1500; n += 1) bus.emit('scale.up', 'web', { n });
      expect(service.dropped - dropped).toBe(1000);
      relay.severed = false;
      const topic = `${root}/web/event/scale.up`;
      await until(() => watcher.payloads(topic).length >= 1000);
      const numbers = watcher.payloads(topic).map((each) => (JSON.parse(each) as { data: { n: number } }).data.n);
      expect(numbers).toEqual(Array.from({ length: 1000 }, (_, index) => index + 500));
    });

    it('loses no event that was on its way when the line was cut', async () => {
      const service = await connected();
      const watcher = await watch();
      for (let n = 0; n < 200; n += 1) bus.emit('scale.up', 'web', { n });
      await sever(service);
      relay.severed = false;
      await until(() => {
        const events = watcher.payloads(`${root}/web/event/scale.up`).map((each) => JSON.parse(each) as { id: string });
        return new Set(events.map((event) => event.id)).size === 200;
      });
      expect(service.dropped).toBe(0);
    });

    it('drops what cannot be a topic or JSON, says so, and goes on', async () => {
      const service = await connected();
      const watcher = await watch();
      bus.emit('service.awake', 'we/b');
      bus.emit('service.awake', 'web', { big: 1n });
      service.publishStatus(statusOf('#'));
      bus.emit('service.asleep', 'web');
      await until(() => watcher.payloads(`${root}/network`).length === 1);
      expect(service.dropped).toBe(3);
      expect(lines.filter((line) => line.includes('cannot be published'))).toHaveLength(3);
    });
  });
}
