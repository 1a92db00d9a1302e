import { createServer, type Server } from 'node:http';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { SPARING, until } from '../support/until.ts';

if (!hasMosquitto) console.warn('skipped: tests with a broker that goes away, for there is no mosquitto');

describe.skipIf(!hasMosquitto)('a daemon whose broker is away', () => {
  let upstream: Server;
  let broker: Mosquitto;
  let daemon: Daemon;

  beforeAll(async () => {
    upstream = createServer((_request, response) => response.end('served')).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
    broker = await Mosquitto.create();
    const url = `http://127.0.0.1:${(upstream.address() as AddressInfo).port}`;
    daemon = await Daemon.start({
      services: { web: { routes: ['web'], url } },
      env: { RUNTIME: 'process', MQTT_BROKER_URL: `mqtt://ann:secret@127.0.0.1:${broker.port}` },
      withoutDocker: true,
    });
  });

  afterAll(async () => {
    await daemon.dispose();
    await broker.dispose();
    upstream.close();
  });

  const health = async (): Promise<HealthAnswer> => (await daemon.api('GET', '/health')).json<HealthAnswer>();
  const told = (): string[] => daemon.log.map(({ msg }) => msg).filter((msg) => msg.includes('MQTT broker'));
  const connected = (is: boolean): Promise<unknown> =>
    until(async () => (await health()).mqtt.connected === is, SPARING);

  async function healthy(): Promise<void> {
    await until(async () => (await health()).status === 'ok', SPARING);
  }

  it('serves, and says why it is degraded: to the API, to the command line, and once to the log', async () => {
    expect((await daemon.ask('web')).body).toBe('served');
    await until(async () => (await health()).mqtt.reason?.includes('nothing listens there'), SPARING);
    const answer = await health();
    expect(answer).toMatchObject({ status: 'degraded', mqtt: { kind: 'external', connected: false, dropped: 0 } });
    const why = 'the external MQTT broker is not connected: nothing listens there';
    expect(answer.problems).toContainEqual(expect.stringContaining(why));
    expect((await daemon.cli('status')).output).toContain(why);
    expect(told()).toEqual([expect.stringContaining('cannot connect to the MQTT broker')]);
    expect(daemon.output).not.toContain('ann:secret');
  });

  it('is well again when the broker comes, goes on serving when it dies, and tells it the truth when it is back', async () => {
    await broker.start();
    await connected(true);
    await healthy();

    const asked = Array.from({ length: 50 }, () => daemon.ask('web'));
    await broker.stop();
    asked.push(...Array.from({ length: 50 }, () => daemon.ask('web')));
    expect((await Promise.all(asked)).every(({ status }) => status === 200)).toBe(true);
    await connected(false);
    expect((await health()).status).toBe('degraded');

    await broker.start();
    await connected(true);
    await healthy();
    const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'services');
    await until(() => watcher.last('services/web/status')?.includes('awake'));
    await watcher.close();
    expect(told()).toEqual([
      expect.stringContaining('cannot connect'),
      'connected to the MQTT broker',
      expect.stringContaining('lost'),
      'connected to the MQTT broker',
    ]);
  });
});
