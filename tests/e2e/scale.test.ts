import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import type { SessionAnswer, SessionsAnswer } from '../../src/management/contract.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { SPARING, until } from '../support/until.ts';

const hasDocker = await dockerAvailable();

describe.skipIf(!hasDocker)('three instances of a service', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    const image = await fixtureImage();
    const scale = { max: 3 };
    daemon = await Daemon.start({
      services: { many: { routes: ['many'], image, scale }, tied: { routes: ['tied'], image, scale, sticky: true } },
    });
    for (const service of ['many', 'tied']) {
      await daemon.api('POST', `/services/${service}/scale`, { replicas: 3 });
      await until(() => daemon.events('instance.ready', service).length === 3);
    }
  });

  afterAll(() => daemon.dispose());

  it('share the work: the next request goes where the fewest are in flight', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => daemon.ask('many', { path: '/slow?ms=3000' })));

    const counts = new Map<unknown, number>();
    for (const answer of answers) {
      const { instance } = answer.json();
      counts.set(instance, (counts.get(instance) ?? 0) + 1);
    }
    expect([...counts.values()]).toEqual([3, 3, 3]);
  });

  it('keep a client that shows its cookie, and share all others', async () => {
    const first = await daemon.ask('tied');
    const [cookie = ''] = String(first.headers['set-cookie']).split(';');
    const { instance } = first.json();

    const tied = [];
    for (let n = 0; n < 6; n += 1) tied.push((await daemon.ask('tied', { headers: { cookie } })).json()['instance']);
    const free = await Promise.all(Array.from({ length: 6 }, () => daemon.ask('tied', { path: '/slow?ms=2000' })));

    expect(tied).toEqual(Array(6).fill(instance));
    expect(new Set(free.map((answer) => answer.json()['instance'])).size).toBe(3);
  });

  it('keep the record of a client, which moves with it when its instance goes', async () => {
    // One that is killed may be back before its client asks again, who then stays: this one goes for good.
    let tries = 0;
    const { agent, cookie } = await until(async () => {
      const agent = `mover${(tries += 1)}/1.0`;
      const first = await daemon.ask('tied', { headers: { 'user-agent': `${agent} (test)` } });
      const [cookie = ''] = String(first.headers['set-cookie']).split(';');
      return cookie.includes('=tied-3.') && { agent, cookie };
    });
    const before = await session(agent);
    expect(before).toMatchObject({ service: 'tied', client: `127.0.0.0/24 ${agent}`, instance: 'tied-3' });
    expect(cookie).toContain(`=tied-3.${before.id}.`);

    await daemon.api('POST', '/services/tied/scale', { replicas: 2 });
    const moved = await daemon.ask('tied', { headers: { cookie, 'user-agent': `${agent} (test)` } });

    await until(async () => (await session(agent)).instance !== 'tied-3', SPARING);
    const after = await session(agent);
    expect(moved.status).toBe(200);
    expect(after).toMatchObject({ id: before.id, firstSeenAt: before.firstSeenAt });
    expect(String(moved.headers['set-cookie'])).toContain(`=${after.instance}.${before.id}.`);
  });

  async function session(client: string): Promise<SessionAnswer> {
    return until(async () => {
      const { sessions } = (await daemon.api('GET', '/sessions?service=tied')).json<SessionsAnswer>();
      return sessions.find((each) => each.client.endsWith(client));
    }, SPARING);
  }

  it('become one again when the operator scales down', async () => {
    const answer = await daemon.api('POST', '/services/many/scale', { replicas: 1 });

    expect(answer.json()).toMatchObject({ service: 'many', replicas: { desired: 1, ready: 1 } });
    expect((await daemon.containers.states('many')).filter((state) => state === 'running')).toHaveLength(1);
    expect((await daemon.ask('many')).status).toBe(200);
  });
});

describe.skipIf(!hasDocker)('a service that is scaled by its load', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    const scale = { max: 3, inFlight: 2, cooldown: '2s' };
    const auto = { routes: ['auto'], image: await fixtureImage(), scale, monitor: { for: '1s' } };
    daemon = await Daemon.start({ services: { auto } });
    expect((await daemon.ask('auto')).status).toBe(200);
  });

  afterAll(() => daemon.dispose());

  it('gets more instances while there is much to do, and gives them back', async () => {
    const running = async (): Promise<number> =>
      (await daemon.containers.states('auto')).filter((state) => state === 'running').length;
    const asked = Array.from({ length: 5 }, () => daemon.ask('auto', { path: '/slow?ms=30000' }));

    const up = await daemon.event('scale.up', 'auto');
    await until(async () => (await running()) === 3);
    const answers = await Promise.all(asked);
    const down = await daemon.event('scale.down', 'auto');
    await until(async () => (await running()) === 1);

    expect(up).toMatchObject({ from: 1, to: 3, reason: 'in_flight' });
    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(200));
    expect(down).toMatchObject({ reason: 'low_load' });
    expect((await daemon.ask('auto')).status).toBe(200);
  }, 90_000);
});
