import type { Container } from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { SPARING, until } from '../support/until.ts';

const hasDocker = await dockerAvailable();

describe.skipIf(!hasDocker)('a service whose container is treated badly', () => {
  let daemon: Daemon;
  let image = '';

  beforeAll(async () => {
    image = await fixtureImage();
    const web = (name: string, more: Record<string, unknown> = {}): Record<string, unknown> => ({
      [name]: { routes: [name], image, ...more },
    });
    daemon = await Daemon.start({
      services: {
        ...web('restarted'),
        ...web('removed'),
        ...web('stopped'),
        ...web('hungry', { resources: { memory: '96m' } }),
        ...web('taken'),
        ...web('unplugged'),
        ...web('frozen', { sleep: { after: '1h', strategy: 'pause' } }),
      },
    });
  });

  afterAll(() => daemon.dispose());

  it('is reached at its new address after a restart by hand (scenario 31)', async () => {
    const before = (await daemon.ask('restarted')).json();
    const container = await daemon.containers.one('restarted');
    const address = await addressOf('restarted');
    // What takes the free address in between is there before the container has one again.
    await container.stop({ t: 0 });
    const squatter = await squat();
    try {
      await container.start();
      const answer = await daemon.ask('restarted');

      expect(answer.status).toBe(200);
      expect(answer.json()['boot']).not.toBe(before['boot']);
      expect(await addressOf('restarted')).not.toBe(address);
      expect(await daemon.containers.count('restarted', 'create')).toBe(1);
    } finally {
      await squatter.remove({ force: true });
    }
  });

  it('is started again after it was stopped by hand', async () => {
    await daemon.ask('stopped');
    await (await daemon.containers.one('stopped')).stop({ t: 0 });

    expect((await daemon.ask('stopped')).status).toBe(200);
  });

  it('is made anew after it was removed by hand', async () => {
    await daemon.ask('removed');
    await (await daemon.containers.one('removed')).remove({ force: true });

    expect((await daemon.ask('removed')).status).toBe(200);
  });

  it('is made anew after it was taken off its network', async () => {
    const before = (await daemon.ask('unplugged')).json();
    const container = await daemon.containers.one('unplugged');

    await unplug(container);
    await until(async () => (await daemon.api('GET', '/services/unplugged')).json()['status'] !== 'awake');
    const answer = await daemon.ask('unplugged');

    expect(answer.status).toBe(200);
    expect(answer.json()['boot']).not.toBe(before['boot']);
  });

  it('is made anew after it was taken off its network while it was paused', async () => {
    const before = (await daemon.ask('frozen')).json();
    const container = await daemon.containers.one('frozen');
    await daemon.api('POST', '/services/frozen/sleep', { strategy: 'pause' });

    await unplug(container);
    // Perhaps before the engine has told anybody: what is thawed then turns out to have no address.
    const answer = await daemon.ask('frozen');

    expect(answer.status).toBe(200);
    expect(answer.json()['boot']).not.toBe(before['boot']);
  });

  it('answers what was in flight with 502 when it runs out of memory, says so, and starts again (scenario 35)', async () => {
    const before = (await daemon.ask('hungry')).json();
    // A POST that may have been delivered is never sent twice.
    const inFlight = Array.from({ length: 5 }, () => daemon.ask('hungry', { method: 'POST', path: '/slow?ms=20000' }));
    await until(async () => (await daemon.api('GET', '/services/hungry')).json()['inFlight'] === 5, SPARING);
    const leak = daemon.ask('hungry', { path: '/leak?mb=512' }).catch((error: unknown) => error);

    const answers = await Promise.all(inFlight);

    expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(502));
    expect(answers[0]?.json()).toMatchObject({ code: 'upstream_reset', service: 'hungry' });
    expect(await leak).toBeInstanceOf(Error);
    expect(await daemon.event('instance.oom', 'hungry')).toMatchObject({ instance: 'hungry-1', oomKilled: true });
    const after = await daemon.ask('hungry');
    expect(after.status).toBe(200);
    expect(after.json()['boot']).not.toBe(before['boot']);
  });

  it('does not touch a foreign container that has its name, and says which name is taken', async () => {
    const { docker } = daemon.containers;
    const foreign = await docker.createContainer({ name: `${daemon.name}-taken-1`, Image: image });
    try {
      await foreign.start();
      const answer = await daemon.ask('taken');

      expect(answer.status).toBe(502);
      expect(answer.json()).toMatchObject({ code: 'name_taken' });
      expect(answer.json<{ detail: string }>().detail).toContain(`${daemon.name}-taken-1`);
      await daemon.api('POST', '/services/taken/sleep', { strategy: 'remove' });
      expect((await foreign.inspect()).State.Running).toBe(true);
    } finally {
      await foreign.remove({ force: true });
    }
  });

  async function unplug(container: Container): Promise<void> {
    await daemon.containers.docker.getNetwork(`${daemon.name}-net`).disconnect({ Container: container.id });
  }

  async function addressOf(service: string): Promise<string | undefined> {
    const { NetworkSettings } = await (await daemon.containers.one(service)).inspect();
    return NetworkSettings.Networks[`${daemon.name}-net`]?.IPAddress;
  }

  /** Takes the next address of the network. */
  async function squat(): Promise<Container> {
    const HostConfig = { NetworkMode: `${daemon.name}-net` };
    const options = { name: `${daemon.name}-squatter`, Image: image, HostConfig };
    const container = await daemon.containers.docker.createContainer(options);
    await container.start();
    return container;
  }
});
