import { randomBytes } from 'node:crypto';
import Docker from 'dockerode';
import { afterEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import { Engine } from '../../src/runtimes/docker/engine/engine.ts';
import { ProjectNetwork } from '../../src/runtimes/docker/containers/network.ts';
import { dockerAvailable, removeDockerProject } from '../support/servers/docker.ts';

const hasDocker = await dockerAvailable();

describe.skipIf(!hasDocker)('the network of a project', () => {
  const project = `net${randomBytes(4).toString('hex')}`;
  const host = parseDockerHost(process.env['DOCKER_HOST']);
  const docker = new Docker(host.options);
  const engine = (): Engine => new Engine({ host, clock: new SystemClock(), callTimeoutMs: 20_000 });
  const ids = async (): Promise<string[]> =>
    (await docker.listNetworks({ filters: { name: [project] } })).map(({ Id }) => Id);

  afterEach(() => removeDockerProject(project));

  it('is made once by all who need it at the same time', async () => {
    const network = new ProjectNetwork(engine(), project, project);

    const views = await Promise.all([network.ensure(), network.ensure(), network.ensure()]);

    expect(await ids()).toEqual([views[0].id]);
    expect(views[0].gateway).toMatch(/^\d+\.\d+\.\d+\.1$/);
  });

  it('is one even when two daemons make it in the same moment', async () => {
    const networks = [engine(), engine(), engine()].map((each) => new ProjectNetwork(each, project, project));

    await Promise.all(networks.map((network) => network.ensure()));
    // One that was being made when the others looked is seen, and taken away, with the next look.
    const views = await Promise.all(networks.map((network) => network.ensure()));

    expect(await ids()).toHaveLength(1);
    expect(new Set(views.map(({ id }) => id))).toEqual(new Set(await ids()));
  });
});
