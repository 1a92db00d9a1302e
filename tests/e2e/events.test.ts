import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { until } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const ONE_LIFE = [
  'wake.requested',
  'instance.starting',
  'instance.ready',
  'service.awake',
  'instance.stopped',
  'service.asleep',
];
const PROXY_STATUS = /^services\/proxy\/[^/]+\/status$/;

interface Status {
  readonly service: string;
  readonly status: string;
  readonly replicas: { readonly desired: number; readonly ready: number };
  readonly instances: readonly { readonly id: string; readonly state: string; readonly upstream?: string }[];
}

describe.skipIf(!hasDocker)('what a subscriber hears of one wake and one sleep', () => {
  let daemon: Daemon;
  let watcher: MqttWatcher;

  beforeAll(async () => {
    const image = await fixtureImage();
    const services = { web: { routes: ['web'], image }, faulty: { routes: ['faulty'], image, env: { EXIT_CODE: 4 } } };
    daemon = await Daemon.start({ services });
    watcher = await MqttWatcher.watch(daemon.up.broker.split(' ')[0] ?? '', 'services');
    await until(() => statuses().length > 0);
    await daemon.ask('web');
    await until(() => statuses().at(-1)?.status === 'awake');
    await daemon.api('POST', '/services/web/sleep');
    await until(() => statuses().at(-1)?.status === 'asleep' && onNetwork().at(-1) === ONE_LIFE.at(-1));
  });

  afterAll(async () => {
    await watcher.close();
    await daemon.dispose();
  });

  const statuses = (): Status[] => watcher.payloads('services/web/status').map((text) => JSON.parse(text) as Status);
  const heardOf = (type: string, service = 'web'): Record<string, unknown>[] =>
    watcher.payloads(`services/${service}/event/${type}`).map((text) => JSON.parse(text) as Record<string, unknown>);

  const onNetwork = (): string[] =>
    watcher
      .payloads('services/network')
      .map((text) => JSON.parse(text) as { service: string; message: Record<string, unknown> })
      .filter(({ service }) => service === 'web')
      .map(({ message }) => `${String(message['event'])}.${String(message['action'])}`);

  it('begins with the retained status of every service and of the proxy', () => {
    const retained = watcher.heard.filter(({ retain }) => retain);

    expect(JSON.parse(retained.find(({ topic }) => topic === 'services/web/status')?.payload ?? '{}')).toMatchObject({
      service: 'web',
      status: 'asleep',
      replicas: { desired: 1, ready: 0 },
    });
    expect(retained.find(({ topic }) => PROXY_STATUS.test(topic))?.payload).toBe('online');
  });

  it('has each status on its way, with the address of the instance once it serves', () => {
    const told = statuses();
    const order = told.map(({ status }) => status).filter((status, n, all) => status !== all[n - 1]);
    const awake = told.find(({ status }) => status === 'awake');

    expect(order.filter((status) => status !== 'draining')).toEqual(['asleep', 'waking', 'awake', 'asleep']);
    expect(awake?.replicas).toEqual({ desired: 1, ready: 1 });
    expect(awake?.instances).toMatchObject([{ id: 'web-1', state: 'ready' }]);
    expect(awake?.instances[0]?.upstream).toMatch(/^\d+\.\d+\.\d+\.\d+:3000$/);
  });

  it('has each event once, as a CloudEvent, in order', () => {
    const types = watcher.heard.flatMap(({ topic }) => /^services\/web\/event\/(.+)$/.exec(topic)?.[1] ?? []);
    expect(types).toEqual(ONE_LIFE);
    const [ready] = heardOf('instance.ready');
    expect(ready).toMatchObject({ specversion: '1.0', type: 'instance.ready', subject: 'web/web-1' });
    expect(ready?.['source']).toMatch(/^reveille\/[0-9a-f]{8}$/);
    expect(Number.isNaN(Date.parse(String(ready?.['time'])))).toBe(false);
    expect(heardOf('service.asleep')[0]?.['data']).toMatchObject({ reason: 'operator' });
    const ids = types.flatMap((type) => heardOf(type).map(({ id }) => id));
    expect(new Set(ids).size).toBe(types.length);
  });

  it('has each event once more on the network topic', () => {
    expect(onNetwork()).toEqual(ONE_LIFE);
  });

  it('has the reason and the last lines of a failure', async () => {
    await daemon.ask('faulty');
    const failed = await until(() => heardOf('service.failed', 'faulty')[0]);

    const data = failed['data'] as Record<string, unknown>;
    expect(data).toMatchObject({ code: 'instance_exited' });
    expect(String(data['logTail'])).toContain('exits with 4');
  });
});

describe.skipIf(!hasMosquitto)('the last will of a daemon with a broker of its own', () => {
  let broker: Mosquitto;
  let daemon: Daemon;
  let watcher: MqttWatcher;

  beforeAll(async () => {
    broker = await Mosquitto.create();
    await broker.start();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    daemon = await Daemon.start({
      services: { elsewhere: { routes: ['elsewhere'], url: 'http://127.0.0.1:9' } },
      env: { RUNTIME: 'process', MQTT_BROKER_URL: url },
      withoutDocker: true,
    });
    watcher = await MqttWatcher.watch(url, 'services');
  });

  afterAll(async () => {
    await watcher.close();
    await daemon.dispose();
    await broker.dispose();
  });

  it('tells that it is gone when it is killed, and then that it is back', async () => {
    const told = (): string[] =>
      watcher.heard.filter(({ topic }) => PROXY_STATUS.test(topic)).map(({ payload }) => payload);
    await until(() => told().at(-1) === 'online');

    await daemon.end('SIGKILL');
    await until(() => told().at(-1) === 'offline');
    await daemon.boot();
    await until(() => told().at(-1) === 'online');

    const late = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'services');
    await until(() => late.heard.some(({ topic, retain }) => retain && PROXY_STATUS.test(topic)));
    await late.close();
  });

  it('is not needed when it ends in order', async () => {
    await daemon.end('SIGTERM');

    const late = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'services');
    await until(() => late.heard.some(({ topic }) => PROXY_STATUS.test(topic)));
    expect(late.heard.find(({ topic }) => PROXY_STATUS.test(topic))?.payload).toBe('offline');
    await late.close();
  });
});
