import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { mongodOrReason, ReplicaSet } from '../support/servers/mongod.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { until } from '../support/until.ts';

const mongod = await mongodOrReason();
const hasDocker = await dockerAvailable();
const PATIENCE = { timeout: 60_000, interval: 50 };
const OPTIONS = { timeout: 120_000 };

describe.skipIf(!hasDocker || 'reason' in mongod)('two daemons on one MongoDB', OPTIONS, () => {
  let set: ReplicaSet;
  let one: Daemon;
  let two: Daemon;

  beforeAll(async () => {
    if ('binary' in mongod) set = await ReplicaSet.start(mongod.binary);
    const image = await fixtureImage();
    const services = {
      web: { routes: ['web'], image, sleep: { after: '1s' } },
      // Runs for as long as it takes to kill who has started it, and is never ready.
      stuck: { routes: ['stuck'], image, command: ['sh', '-c', 'sleep 8; exit 3'] },
    };
    const mongo = { MONGO_DB_URI: set.uri, MONGO_DB_NAME: set.uniqueName() };
    one = await Daemon.start({ services, env: mongo });
    await until(() => leads(one), PATIENCE);
    const { PROJECT = '', DOMAIN = '', DOCKER_NETWORK = '' } = one.env;
    two = await Daemon.start({ services, env: { PROJECT, DOMAIN, DOCKER_NETWORK, ...mongo } });
  });

  afterAll(async () => {
    process.kill(one.pid, 'SIGCONT');
    await two.dispose();
    await one.dispose();
    await set.stop();
  });

  /** Whether it was the last it has said of who leads. */
  function leads(daemon: Daemon): boolean {
    return daemon.log.findLast(({ msg }) => msg.includes(' leads: '))?.msg.startsWith('this process') ?? false;
  }

  async function ask(daemon: Daemon): Promise<number> {
    return (await daemon.client.ask(one.host('web'))).status;
  }

  async function statusAt(daemon: Daemon): Promise<unknown> {
    const answer = await daemon.client.ask(one.host('web'), { path: '/.well-known/reveille' });
    return answer.json()['status'];
  }

  it('share what both of them wake at once', async () => {
    for (let round = 0; round < 3; round += 1) {
      const answers = await Promise.all([one, two].map((daemon) => daemon.client.ask(one.host('web'))));
      expect(answers.map(({ status }) => status)).toEqual([200, 200]);
      expect(new Set(answers.map((answer) => answer.json()['instance'])).size).toBe(1);
      await until(async () => (await statusAt(one)) === 'asleep', PATIENCE);
      await until(async () => (await statusAt(two)) === 'asleep', PATIENCE);
    }
    expect(await one.containers.states('web')).toEqual(['exited']);
    expect([...one.events('service.failed'), ...two.events('service.failed')]).toEqual([]);
  });

  it('answer every request that comes as the service falls asleep', async () => {
    const statuses: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      statuses.push(await ask(two));
      await until(async () => (await statusAt(two)) !== 'awake', { timeout: 60_000, interval: 3 });
    }
    statuses.push(await ask(two), await ask(one));
    expect(statuses).toEqual(statuses.map(() => 200));
    expect([...one.events('instance.died'), ...two.events('instance.died')]).toEqual([]);
  });

  it('have one that decides, also when it freezes and is continued', async () => {
    // Awake for the next second: nothing is told of it meanwhile.
    expect(await ask(one)).toBe(200);
    const asleepByOne = one.events('service.asleep').length;
    const frozenMs = performance.now();
    process.kill(one.pid, 'SIGSTOP');
    const statuses: number[] = [];
    while (!leads(two)) statuses.push(await ask(two));
    console.log(
      `seen: takeover ${Math.round(performance.now() - frozenMs)} ms after SIGSTOP, ${statuses.length} requests`,
    );
    // What one has started has been idle for it for longer than it takes to put it to sleep.
    process.kill(one.pid, 'SIGCONT');
    while (leads(one)) statuses.push(await ask(two));
    for (let more = 0; more < 20; more += 1) statuses.push(await ask(two));
    expect(statuses).toEqual(statuses.map(() => 200));
    expect(one.events('service.asleep')).toHaveLength(asleepByOne);
    await until(() => two.events('service.asleep').length > 0, PATIENCE);
    expect(one.events('service.asleep')).toHaveLength(asleepByOne);
    expect([...one.events('instance.died'), ...two.events('instance.died')]).toEqual([]);
  });

  it('have another when that one is killed, and hear what became of what it was starting', async () => {
    const waiting = two.client.ask(one.host('stuck')).catch(() => undefined);
    await two.event('instance.starting', 'stuck');
    const killedMs = performance.now();
    await two.end('SIGKILL');
    await waiting;
    expect(two.events('service.failed')).toEqual([]);
    while (!leads(one)) expect(await ask(one)).toBe(200);
    console.log(`seen: takeover ${Math.round(performance.now() - killedMs)} ms after SIGKILL`);
    await one.event('service.failed', 'stuck', PATIENCE);
    expect(one.events('instance.starting', 'stuck')).toEqual([]);
    expect(await ask(one)).toBe(200);
    expect(one.events('service.failed')).toHaveLength(1);
  });
});
