import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import type { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { DockerHarness, PREPARE } from '../support/set-ups/docker-harness.ts';
import { SocketRelay } from '../support/relays/socket-relay.ts';
import { until } from '../support/until.ts';
import { serviceOf } from '../unit/config/manifest-context.ts';

const available = await dockerAvailable();

describe.skipIf(!available)('the Docker driver when things happen in between', () => {
  const docker = new Docker(parseDockerHost(undefined).options);
  let image = '';
  let harness: DockerHarness;
  let runtime: DockerRuntime;

  beforeAll(async () => {
    image = await fixtureImage();
  });

  beforeEach(async () => {
    harness = new DockerHarness(image);
    runtime = await harness.open();
  });

  afterEach(() => harness.close());

  async function logOf(runtimeId: string): Promise<string> {
    const lines: string[] = [];
    for await (const { text } of runtime.logs(runtimeId, { tail: 50, follow: false })) lines.push(text);
    return lines.join('\n');
  }

  it('ends a paused instance gracefully', async () => {
    const { runtimeId } = await harness.launch(runtime);
    await until(async () => (await logOf(runtimeId)).includes('listening'));
    await runtime.pauseInstance(runtimeId);
    const began = performance.now();
    await runtime.stopInstance(runtimeId, 20_000);
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(await runtime.inspect(runtimeId)).toMatchObject({ state: 'exited', exit: { code: 0, oomKilled: false } });
    expect(await logOf(runtimeId)).toContain('SIGTERM');
  });

  it('bounds its wait for a slow engine, and one container is made when somebody asks again', async () => {
    const relay = new SocketRelay(parseDockerHost(undefined).options.socketPath ?? '');
    await relay.open();
    try {
      const dockerHost = `unix://${relay.path}`;
      const [hasty, patient] = [
        await harness.open({ dockerHost, callTimeoutMs: 500 }),
        await harness.open({ dockerHost }),
      ];
      const spec = harness.spec();
      const prepared = await runtime.prepare(spec, PREPARE);
      relay.delayMs = 2000;
      await expect(hasty.create(spec, 1, prepared)).rejects.toMatchObject({ code: 'runtime_unavailable' });
      relay.delayMs = 60;
      const made = await patient.create(spec, 1, prepared);
      expect(await runtime.list()).toMatchObject([{ runtimeId: made.runtimeId, state: 'created' }]);
    } finally {
      await relay.close();
    }
  });

  it('starts a stopped instance whose image was removed, and says what is missing when it is to be made anew', async () => {
    const seed = await docker.createContainer({ Image: image, Cmd: ['node', '/app/server.mjs'] });
    const repo = `${harness.project}-own`;
    await seed.commit({ repo, tag: '1' });
    await seed.remove();
    const spec = harness.spec({ source: { kind: 'image', image: `${repo}:1`, pull: 'never' } });
    const launched = await harness.launch(runtime, spec);
    await runtime.stopInstance(launched.runtimeId, 5_000);
    await docker.getImage(`${repo}:1`).remove({ force: true });
    await expect(docker.getImage(`${repo}:1`).inspect()).rejects.toMatchObject({ statusCode: 404 });

    expect(await runtime.startInstance(launched.runtimeId)).toMatchObject({ state: 'running' });
    await expect(runtime.prepare(spec, PREPARE)).rejects.toMatchObject({ code: 'image_missing' });
    expect(await runtime.list()).toMatchObject([{ runtimeId: launched.runtimeId, state: 'running' }]);
    const gone = `sha256:${'0'.repeat(64)}`;
    const next = runtime.create(harness.spec({ ...spec, name: 'other' }), 1, { imageId: gone, fresh: false });
    await expect(next).rejects.toMatchObject({
      code: 'image_missing',
      message: expect.stringMatching(/other/) as string,
    });
  });

  it('mounts a folder that the manifest names relative to itself', async () => {
    const baseDir = await mkdtemp(join(tmpdir(), 'rv-volumes-'));
    try {
      await mkdir(join(baseDir, 'data'), { mode: 0o755 });
      await writeFile(join(baseDir, 'data/hello'), 'from the host');
      const entry = { image, pull: 'never', volumes: ['./data:/data:ro', './data/hello:/hello'] };
      const { runtimeId } = await harness.launch(runtime, serviceOf(entry, { baseDir }));
      const script = `const read = (path) => require('fs').readFileSync(path, 'utf8') === 'from the host';
        process.exit(read('/data/hello') && read('/hello') ? 0 : 9)`;
      expect(await runtime.exec(runtimeId, ['node', '-e', script], AbortSignal.timeout(10_000))).toBe(0);
    } finally {
      await rm(baseDir, { recursive: true });
    }
  });

  it('says that a container was removed before it started, and makes another', async () => {
    const spec = harness.spec();
    const prepared = await runtime.prepare(spec, PREPARE);
    const { runtimeId } = await runtime.create(spec, 1, prepared);
    await docker.getContainer(runtimeId).remove({ force: true });
    await expect(runtime.startInstance(runtimeId)).rejects.toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('is gone') as string,
    });
    expect(await runtime.inspect(runtimeId)).toBeUndefined();
    await runtime.stopInstance(runtimeId, 100);
    await runtime.removeInstance(runtimeId);
    expect((await harness.launch(runtime, spec)).state).toBe('running');
  });

  it('makes one container when two daemons make it in the same moment', async () => {
    const daemons = [runtime, await harness.open(), await harness.open()];
    const spec = harness.spec();
    for (let round = 1; round <= 3; round += 1) {
      const prepared = await runtime.prepare(spec, PREPARE);
      const made = await Promise.all(daemons.map((daemon) => daemon.create(spec, round, prepared)));
      expect(new Set(made.map(({ runtimeId }) => runtimeId)).size).toBe(1);
      const started = await Promise.all(daemons.map((daemon) => daemon.startInstance(made[0]!.runtimeId)));
      expect(started.map(({ state }) => state)).toEqual(['running', 'running', 'running']);
    }
    expect(await runtime.list()).toHaveLength(3);
  });
});
