import { fileURLToPath } from 'node:url';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { until } from '../support/until.ts';

const SERVER = fileURLToPath(new URL('../fixtures/image/server.mjs', import.meta.url));

describe('what a home automation does with the daemon', () => {
  let daemon: Daemon;
  let client: MqttClient;
  let home: MqttWatcher;
  let services: MqttWatcher;

  const web = { routes: ['web'], process: { command: ['node', SERVER] } };

  beforeAll(async () => {
    daemon = await Daemon.make({
      services: { web },
      env: { RUNTIME: 'process', MQTT_DISCOVERY: 'homeassistant', MQTT_TOPIC_ROOT: 'house/reveille' },
      withoutDocker: true,
    });
    await daemon.writeEnv('MQTT_COMMANDS=off\n');
    await daemon.boot();
    const url = daemon.up.broker.split(' ')[0] ?? '';
    client = await connectAsync(url, { reconnectPeriod: 0 });
    home = await MqttWatcher.watch(url, 'homeassistant');
    services = await MqttWatcher.watch(url, 'house/reveille');
  });

  afterAll(async () => {
    await Promise.all([client.endAsync(true), home.close(), services.close()]);
    await daemon.dispose();
  });

  const switchOf = (service: string): { topic: string; config: Record<string, unknown> } | undefined => {
    const ends = new RegExp(`^homeassistant/switch/[^/]+/${service}/config$`);
    const heard = home.heard.filter(({ topic }) => ends.test(topic)).at(-1);
    if (!heard || heard.payload === '') return undefined;
    return { topic: heard.topic, config: JSON.parse(heard.payload) as Record<string, unknown> };
  };
  const accepted = (): string | undefined =>
    services.heard.filter(({ topic }) => topic.endsWith('/commands')).at(-1)?.payload;
  const status = (): string =>
    (JSON.parse(services.last('house/reveille/web/status') ?? '{"status":""}') as { status: string }).status;

  it('finds a switch that leads to the dashboard and cannot be used yet', async () => {
    const { config } = await until(() => switchOf('web'));
    expect(config['device']).toMatchObject({ configuration_url: `https://proxy.${daemon.domain}:${daemon.up.port}` });
    await until(() => accepted() === 'off');
  });

  it('can use it as soon as commands are allowed, without a restart', async () => {
    const { config } = await until(() => switchOf('web'));
    await daemon.writeEnv('MQTT_COMMANDS=on\n');
    await until(() => accepted() === 'on');
    await client.publishAsync(String(config['command_topic']), 'ON', { qos: 1 });
    await until(() => status() === 'awake');
    await client.publishAsync(String(config['command_topic']), 'OFF', { qos: 1 });
    await until(() => status() === 'asleep');
  });

  it('loses the switch of a service that leaves the manifest, and finds that of a new one', async () => {
    await daemon.writeManifest({ api: { ...web, routes: ['api'] } });
    await until(() => switchOf('api') && !switchOf('web'));
    await until(() => services.last('house/reveille/web/status') === '');
  });
});
