import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { Daemon } from '../support/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/docker.ts';

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
      await vi.waitUntil(() => daemon.events('instance.ready', service).length === 3, { timeout: 20_000 });
    }
  });

  afterAll(() => daemon.dispose());

  it('share the work: the next request goes where the fewest are in flight', async () => {
    const answers = await Promise.all(Array.from({ length: 9 }, () => daemon.ask('many', { path: '/slow?ms=800' })));

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
    const free = await Promise.all(Array.from({ length: 6 }, () => daemon.ask('tied', { path: '/slow?ms=500' })));

    expect(tied).toEqual(Array(6).fill(instance));
    expect(new Set(free.map((answer) => answer.json()['instance'])).size).toBe(3);
  });

  it('become one again when the operator scales down', async () => {
    const answer = await daemon.api('POST', '/services/many/scale', { replicas: 1 });

    expect(answer.json()).toMatchObject({ service: 'many', replicas: { desired: 1, ready: 1 } });
    expect((await daemon.containers.states('many')).filter((state) => state === 'running')).toHaveLength(1);
    expect((await daemon.ask('many')).status).toBe(200);
  });
});
