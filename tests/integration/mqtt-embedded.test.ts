import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { connectAsync } from 'mqtt';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { EmbeddedBroker } from '../../src/messaging/embedded-broker.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { mqttCommandSuite } from './mqtt-command-suite.ts';
import { mqttDiscoverySuite } from './mqtt-discovery-suite.ts';
import { until } from '../support/until.ts';
import { mqttSuite, type BrokerUnderTest } from './mqtt-suite.ts';

const clock = new SystemClock();
const log = pino({ level: 'silent' });

mqttSuite('the embedded broker', 'embedded', createBroker);
mqttDiscoverySuite('the embedded broker', 'embedded', createBroker);
mqttCommandSuite('the embedded broker', 'embedded', createBroker);

async function createBroker(): Promise<BrokerUnderTest> {
  const port = await freePort();
  let broker: EmbeddedBroker | undefined;
  const stop = async (): Promise<void> => broker?.close();
  return {
    port,
    start: () => {
      broker = new EmbeddedBroker({ port, fallbackPorts: 0, clock, log });
      return broker.start();
    },
    stop,
    dispose: stop,
  };
}

describe('embedded broker', () => {
  const brokers: EmbeddedBroker[] = [];

  afterEach(() => Promise.all(brokers.splice(0).map((broker) => broker.close())));

  function make(port: number, fallbackPorts: number, lines: string[] = []): EmbeddedBroker {
    const ours = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const broker = new EmbeddedBroker({ port, fallbackPorts, clock, log: ours });
    brokers.push(broker);
    return broker;
  }

  it('takes the next free port when its own is taken, and says so', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as AddressInfo;
    const lines: string[] = [];
    const broker = make(port, 20, lines);
    await broker.start();
    expect(Number(new URL(broker.url).port)).toBeGreaterThan(port);
    expect(lines.join()).toContain(`port ${port} is taken`);
    other.close();
  });

  it('refuses to start on a taken port where it may take no other, and names the settings', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const broker = make((other.address() as AddressInfo).port, 0);
    await expect(broker.start()).rejects.toMatchObject({
      code: 'mqtt_port_unavailable',
      message: expect.stringMatching(/MQTT_PORT.*MQTT_BROKER_URL/) as string,
    });
    other.close();
  });

  it('keeps nothing for a client that is away, whatever session it asked for', async () => {
    const broker = make(0, 0);
    await broker.start();
    const session = { clientId: 'away', clean: false, reconnectPeriod: 0 };
    const first = await connectAsync(broker.url, session);
    await first.subscribeAsync('a/#', { qos: 1 });
    await first.endAsync();
    const sender = await connectAsync(broker.url, { reconnectPeriod: 0 });
    await sender.publishAsync('a/b', 'kept?', { qos: 1 });
    const heard = vi.fn();
    const again = await connectAsync(broker.url, session);
    again.on('message', heard);
    await again.subscribeAsync('a/#', { qos: 1 });
    await sender.publishAsync('a/b', 'new', { qos: 1 });
    await until(() => heard.mock.calls.length > 0);
    expect(heard.mock.calls.map(([, payload]) => String(payload))).toEqual(['new']);
    await Promise.all([again.endAsync(true), sender.endAsync(true)]);
  });

  it('cuts off who sends more than a megabyte in one message, and serves the others', async () => {
    const broker = make(0, 0);
    await broker.start();
    const watcher = await MqttWatcher.watch(broker.url, 'a');
    const hostile = await connectAsync(broker.url, { reconnectPeriod: 0 });
    hostile.on('error', () => undefined);
    const closed = new Promise((resolve) => hostile.once('close', () => resolve(true)));
    hostile.publish('a/b', Buffer.alloc(1_100_000), { qos: 1 });
    expect(await closed).toBe(true);
    const friendly = await connectAsync(broker.url, { reconnectPeriod: 0 });
    await friendly.publishAsync('a/b', 'hello', { qos: 1 });
    await until(() => watcher.last('a/b') === 'hello');
    await Promise.all([friendly.endAsync(true), watcher.close()]);
  });

  it('retains more topics than a manifest of ten thousand services has', async () => {
    const broker = make(0, 0);
    await broker.start();
    const sender = await connectAsync(broker.url, { reconnectPeriod: 0 });
    const closed = vi.fn();
    sender.on('close', closed);
    for (let n = 0; n <= 10_000; n += 1) sender.publish(`s/${n}/status`, 'awake', { qos: 0, retain: true });
    await sender.publishAsync('s/last/status', 'awake', { qos: 1, retain: true });
    expect(closed).not.toHaveBeenCalled();
    const watcher = await MqttWatcher.watch(broker.url, 's/last');
    await until(() => watcher.last('s/last/status') === 'awake');
    await Promise.all([sender.endAsync(true), watcher.close()]);
  });

  it('may be closed twice, with clients on it', async () => {
    const broker = make(0, 0);
    await broker.start();
    const watcher = await MqttWatcher.watch(broker.url, 'a');
    await broker.close();
    await broker.close();
    expect(() => broker.url).toThrow(/not started/);
    await watcher.close();
  });
});
