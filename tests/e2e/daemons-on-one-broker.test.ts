import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { connectAsync, type MqttClient } from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { MqttWatcher, type Heard } from '../support/clients/mqtt-watcher.ts';
import { until } from '../support/until.ts';

const mongod = await mongodOrReason();
const ready = hasMosquitto && 'binary' in mongod && (await dockerAvailable());
const PATIENCE = { timeout: 90_000, interval: 20 };

interface Status {
  readonly status: string;
}

interface Answer {
  readonly correlation: string;
  readonly text: string;
}

describe.skipIf(!ready)('two daemons on one broker and one MongoDB', () => {
  let set: ReplicaSet;
  let broker: Mosquitto;
  let daemons: Daemon[];
  let watcher: MqttWatcher;
  let client: MqttClient;
  let project: string;
  const answers: Answer[] = [];

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary);
    broker = await Mosquitto.create();
    await broker.start();
    const url = `mqtt://127.0.0.1:${broker.port}`;
    watcher = await MqttWatcher.watch(url, 'services');
    client = await connectAsync(url, { reconnectPeriod: 0, protocolVersion: 5 });
    client.on('message', (_topic, payload, { properties }) =>
      answers.push({ correlation: properties?.correlationData?.toString() ?? '', text: payload.toString() }),
    );
    await client.subscribeAsync('answers/#', { qos: 1 });
    const image = await fixtureImage();
    const services = {
      web: { routes: ['web'], image },
      api: { routes: ['api'], image },
    };
    const shared = {
      ...{ MONGO_DB_URI: set.uri, MONGO_DB_NAME: set.uniqueName() },
      ...{ MQTT_BROKER_URL: url, MQTT_COMMANDS: 'on' },
    };
    const one = await Daemon.make({ services, env: shared });
    const { PROJECT = '', DOMAIN = '', DOCKER_NETWORK = '' } = one.env;
    project = PROJECT;
    const two = await Daemon.make({ services, env: { ...shared, PROJECT, DOMAIN, DOCKER_NETWORK } });
    daemons = [one, two];
    await Promise.all(daemons.map((daemon) => daemon.boot()));
  }, 240_000);

  afterAll(async () => {
    await client.endAsync(true);
    await watcher.close();
    for (const daemon of daemons) await daemon.dispose();
    await broker.dispose();
    await set.stop();
  });

  const speaker = (): string =>
    (JSON.parse(watcher.last(`services/proxy/speaker/${project}`) ?? '{"proxyId":""}') as { proxyId: string }).proxyId;
  const proxyIdOf = async (daemon: Daemon): Promise<string> =>
    (await readFile(join(daemon.dir, 'state/proxy-id'), 'utf8')).slice(0, 8);

  /** The one that speaks, and the other. */
  async function bothOf(): Promise<[Daemon, Daemon]> {
    const [one, two] = daemons as [Daemon, Daemon];
    return (await proxyIdOf(one)) === speaker() ? [one, two] : [two, one];
  }

  const statuses = (service: string, heard: readonly Heard[]): Status[] =>
    heard.flatMap(({ topic, payload }) =>
      topic === `services/${service}/status` ? [JSON.parse(payload) as Status] : [],
    );
  const status = (service: string): string | undefined => statuses(service, watcher.heard).at(-1)?.status;

  async function command(topic: string, name: string): Promise<void> {
    const properties = { responseTopic: 'answers/all', correlationData: Buffer.from(name) };
    await client.publishAsync(`services/${topic}`, '', { qos: 1, properties });
  }
  const answersTo = (name: string): Answer[] => answers.filter(({ correlation }) => correlation === name);
  /** The words that follow each other, each once. */
  const inARow = (words: readonly string[]): string[] => words.filter((word, index) => word !== words[index - 1]);

  it('tell each change of a service once, also when the one that does not speak wakes it', async () => {
    await until(() => status('web') === 'asleep' && status('api') === 'asleep', PATIENCE);
    const leads = ({ log }: Daemon): boolean => log.some(({ msg }) => msg.startsWith('this process leads'));
    await until(async () => leads((await bothOf())[0]), PATIENCE);
    for (const daemon of (await bothOf()).reverse()) {
      const from = watcher.heard.length;
      expect((await daemon.client.ask(`web.${project}.localhost`)).status).toBe(200);
      await until(() => status('web') === 'awake', PATIENCE);
      await command('web/command/sleep', `sleep ${daemon.name}`);
      await until(() => answersTo(`sleep ${daemon.name}`).length > 0 && status('web') === 'asleep', PATIENCE);
      const told = statuses('web', watcher.heard.slice(from));
      expect(inARow(told.map((each) => each.status))).toEqual(['waking', 'awake', 'draining', 'asleep']);
      // Once by each that has spoken meanwhile: one, unless another has just come to lead.
      const claims = watcher.heard.slice(from).filter(({ topic }) => topic === `services/proxy/speaker/${project}`);
      const awake = told.filter((each) => each.status === 'awake');
      expect(awake.length).toBeLessThanOrEqual(1 + claims.length);
    }
  }, 240_000);

  it('carry out a command once that reached the one that speaks, and it was killed before it could', async () => {
    const [first, second] = await bothOf();
    const from = watcher.heard.length;
    process.kill(first.pid, 'SIGSTOP');
    await command('web/command/wake', 'wake');
    await first.end('SIGKILL');
    const killedMs = performance.now();
    await until(() => answersTo('wake').length > 0, PATIENCE);
    console.log(`carried out by the other daemon ${Math.round(performance.now() - killedMs)} ms after the kill -9`);
    expect(JSON.parse(answersTo('wake')[0]?.text ?? '')).toMatchObject({ ok: true, service: 'web', status: 'awake' });

    expect(speaker()).toBe(await proxyIdOf(second));
    expect(watcher.last(`services/proxy/${await proxyIdOf(first)}/status`)).toBe('offline');
    expect(inARow(statuses('web', watcher.heard.slice(from)).map((each) => each.status))).toEqual([
      'asleep',
      'waking',
      'awake',
    ]);
    expect(await daemons[0]?.containers.states('web')).toEqual(['running']);
  }, 240_000);

  it('tell the truth when the killed one is back, and when the broker has forgotten everything', async () => {
    const dead = (await bothOf())[1];
    const from = watcher.heard.length;
    await dead.boot();
    await until(() => watcher.last(`services/proxy/${speaker()}/status`) === 'online', PATIENCE);
    await command('web/command/scale', 'refused');
    await until(() => answersTo('refused').length > 0, PATIENCE);
    expect(answersTo('refused').map(({ text }) => JSON.parse(text) as unknown)).toMatchObject([
      { ok: false, code: 'command_invalid' },
    ]);
    expect(statuses('web', watcher.heard.slice(from)).filter((each) => each.status !== 'awake')).toEqual([]);

    await broker.stop();
    await broker.start();
    const again = await MqttWatcher.watch(`mqtt://127.0.0.1:${broker.port}`, 'services');
    await until(() => again.last('services/web/status') && again.last('services/api/status'), PATIENCE);
    await again.close();
    // The one that leads may have come second, and have told all once more.
    expect(inARow(statuses('web', again.heard).map((each) => each.status))).toEqual(['awake']);
    expect(inARow(statuses('api', again.heard).map((each) => each.status))).toEqual(['asleep']);
  }, 240_000);
});
