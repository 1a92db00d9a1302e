import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type Docker from 'dockerode';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterEach, describe, expect, it } from 'vitest';
import { localhostLookup } from '../../src/lib/localhost-lookup.ts';
import type { HealthAnswer } from '../../src/management/contract.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { freePort } from '../../src/lib/free-port.ts';
import { hasMosquitto } from '../support/servers/mosquitto.ts';
import { mosquittoImage } from '../support/servers/mosquitto-image.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { SPARING, until } from '../support/until.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const PATIENCE = { ...SPARING, timeout: 90_000 };
const ready = hasMosquitto && (await dockerAvailable());
if (!hasMosquitto) console.warn('skipped: tests with a managed broker, for there is no mosquitto to make an image of');

/** The entry of the shipped manifest as it stands there, but with an image that needs no registry and a port of our own. */
function manifest(image: string, webImage: string, port: number): string {
  const shipped = pathToFileURL(join(ROOT, 'services-manifest.ts')).href;
  return `import shipped from ${JSON.stringify(shipped)};
export default (context) => {
  const { mqtt } = shipped(context).services;
  const volumes = mqtt.volumes.map((volume) => volume.replace('./apps', ${JSON.stringify(join(ROOT, 'apps'))}));
  const publish = ['127.0.0.1:${port}:1883'];
  const web = { routes: ['web'], image: ${JSON.stringify(webImage)} };
  return { services: { mqtt: { ...mqtt, volumes, publish, image: ${JSON.stringify(image)} }, web } };
};
`;
}

/** What the broker has written down, within the archive that the engine makes of it. */
async function fileOf(container: Docker.Container): Promise<string> {
  const found = await container.getArchive({ path: '/mosquitto/data/mosquitto.db' }).catch(() => undefined);
  const chunks: Buffer[] = [];
  for await (const chunk of found ?? []) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('latin1');
}

describe.skipIf(!ready)('the broker as a service of the manifest', () => {
  const ends: (() => Promise<unknown>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  async function start(env: (port: number) => Record<string, string>): Promise<{ daemon: Daemon; port: number }> {
    const port = await freePort();
    const text = manifest(await mosquittoImage(), await fixtureImage(), port);
    const daemon = await Daemon.start({ manifest: text, env: env(port) });
    ends.push(() => daemon.dispose());
    return { daemon, port };
  }

  async function watch(port: number, root: string): Promise<MqttWatcher> {
    const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${port}`, root);
    ends.push(() => watcher.close());
    return watcher;
  }

  async function overWebSockets(daemon: Daemon): Promise<MqttClient> {
    const client = await connectAsync({
      ...{ protocol: 'wss', hostname: daemon.host('mqtt'), port: daemon.up.port, path: '/mqtt' },
      ...{ reconnectPeriod: 0, connectTimeout: 30_000, protocolVersion: 5 },
      wsOptions: { ca: daemon.ca, lookup: localhostLookup },
    });
    ends.push(() => client.endAsync(true));
    return client;
  }

  const health = async (daemon: Daemon): Promise<HealthAnswer> =>
    (await daemon.api('GET', '/health')).json<HealthAnswer>();

  it('sleeps until somebody calls its WebSocket, and joins those with its TCP port', async () => {
    const { daemon, port } = await start(() => ({}));
    expect(daemon.up.broker).toContain('embedded');
    expect(await daemon.containers.list('mqtt')).toHaveLength(0);

    const client = await overWebSockets(daemon);
    const watcher = await watch(port, 'house');
    await client.publishAsync('house/door', 'open', { qos: 1, retain: true });

    await until(() => watcher.last('house/door') === 'open', PATIENCE);
    expect(await daemon.containers.states('mqtt')).toEqual(['running']);
    expect((await health(daemon)).status).toBe('ok');
  }, 240_000);

  it('takes the place of the embedded one where it publishes MQTT_PORT, and is brought back when it dies', async () => {
    const { daemon, port } = await start((chosen) => ({ MQTT_PORT: String(chosen) }));
    expect(daemon.up.broker).toContain('the service mqtt');
    await until(async () => (await health(daemon)).mqtt.connected, PATIENCE);
    const watcher = await watch(port, 'services');
    await until(() => watcher.last('services/web/status')?.includes('asleep'), PATIENCE);
    expect(daemon.log.filter(({ msg }) => msg.includes('cannot connect'))).toEqual([]);

    await (await daemon.containers.one('mqtt')).kill();
    expect((await daemon.ask('web')).status).toBe(200);
    const lost = (): number => daemon.log.filter(({ msg }) => msg.includes('lost the MQTT broker')).length;
    await until(() => lost() === 1, PATIENCE);
    await until(async () => (await health(daemon)).mqtt.connected, PATIENCE);

    const again = await watch(port, 'services');
    await until(() => again.last('services/web/status')?.includes('awake'), PATIENCE);
    expect(await daemon.containers.states('mqtt')).toEqual(['running']);
  }, 240_000);

  it('keeps what it retains when it is killed and removed, and so does a restart of everything', async () => {
    const { daemon, port } = await start((chosen) => ({ MQTT_PORT: String(chosen) }));
    await until(async () => (await health(daemon)).mqtt.connected, PATIENCE);
    const client = await connectAsync(`mqtt://127.0.0.1:${port}`, { reconnectPeriod: 0 });
    client.on('error', () => undefined);
    await client.publishAsync('house/door', 'open', { qos: 1, retain: true });
    await client.endAsync();
    const container = await daemon.containers.one('mqtt');
    await until(async () => (await fileOf(container)).includes('house/door'), PATIENCE);

    await daemon.end('SIGKILL');
    await container.remove({ force: true });
    await daemon.boot();

    await until(async () => (await health(daemon)).mqtt.connected, PATIENCE);
    const watcher = await watch(port, 'house');
    await until(() => watcher.last('house/door') === 'open', PATIENCE);
  }, 240_000);
});
