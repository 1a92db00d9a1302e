import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { BuildSource } from '../../src/config/service-spec.ts';
import type { PrepareProgress } from '../../src/fleet/runtime.ts';
import type { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { DockerHarness, PREPARE } from '../support/set-ups/docker-harness.ts';
import { untilPasses } from '../support/until.ts';

const available = await dockerAvailable();

describe.skipIf(!available)('the Docker driver that builds an image', () => {
  const docker = new Docker(parseDockerHost(undefined).options);
  let harness: DockerHarness;
  let runtime: DockerRuntime;
  let context = '';

  beforeAll(async () => {
    // The base image comes with it, once for all test files.
    await fixtureImage();
  });

  beforeEach(async () => {
    harness = new DockerHarness('none');
    runtime = await harness.open();
    context = await mkdtemp(join(tmpdir(), 'rv-build-'));
    await writeFile(join(context, 'app.mjs'), `console.log('one')`);
  });

  afterEach(async () => {
    await harness.close();
    await rm(context, { recursive: true });
  });

  async function build(dockerfile: string, args: Record<string, string> = {}, using = runtime) {
    await writeFile(join(context, 'Dockerfile'), dockerfile);
    const source: BuildSource = { kind: 'build', context, dockerfile: 'Dockerfile', args };
    const progress: PrepareProgress[] = [];
    const spec = harness.spec({ name: 'built', source });
    const prepared = using.prepare(spec, { ...PREPARE, onProgress: (step) => progress.push(step) });
    return { spec, progress, ...(await prepared) };
  }

  const DOCKERFILE = 'FROM reveille-base:20\nARG WHAT=x\nCOPY app.mjs /app/\nCMD ["node", "/app/app.mjs"]\n';

  it('tells its steps, and reuses the image until the context changes', async () => {
    const first = await build(DOCKERFILE);
    expect(first.fresh).toBe(true);
    expect(first.progress.map(({ detail }) => detail).join('\n')).toMatch(/^Step 3\/\d+ : COPY app.mjs \/app\/$/m);
    expect(first.progress.at(-1)?.ratio).toBeGreaterThan(0.5);
    expect(await build(DOCKERFILE)).toMatchObject({ fresh: false, imageId: first.imageId });
    await writeFile(join(context, 'app.mjs'), `console.log('two')`);
    const second = await build(DOCKERFILE);
    expect(second.fresh).toBe(true);
    expect(second.imageId).not.toBe(first.imageId);
  });

  it('keeps the last two images of a service', async () => {
    for (const version of ['1', '2', '3', '4']) {
      await writeFile(join(context, 'app.mjs'), `console.log(${version})`);
      await build(DOCKERFILE);
    }
    const label = [`dev.reveille.project=${harness.project}`];
    expect(await docker.listImages({ filters: { label } })).toHaveLength(2);
  });

  it('fails with the last lines, and the image before it stays', async () => {
    const good = await build(DOCKERFILE);
    const failed = build(`${DOCKERFILE}RUN echo it goes wrong && exit 3\n`);
    await expect(failed).rejects.toMatchObject({
      code: 'build_failed',
      message: expect.stringContaining('3') as string,
    });
    const logTail = await failed.catch((error: unknown) => (error as { logTail: string[] }).logTail);
    expect(logTail).toContain('it goes wrong');
    expect((await docker.getImage(good.imageId).inspect()).Id).toBe(good.imageId);
  });

  it.each([
    ['a Dockerfile that is none', 'THIS IS NO DOCKERFILE\n'],
    ['a file that is not there', 'FROM reveille-base:20\nCOPY absent.txt /\n'],
  ])('fails for %s', async (_case, dockerfile) => {
    await expect(build(dockerfile)).rejects.toMatchObject({ code: 'build_failed' });
  });

  it('ends when it takes too long', async () => {
    const hasty = await harness.open({ buildTimeoutMs: 1_000 });
    const late = build('FROM reveille-base:20\nRUN sleep 20\n', {}, hasty);
    await expect(late).rejects.toMatchObject({ code: 'build_timeout' });
  });

  it('assembles the base from this host when it is absent and its own base cannot be pulled', async () => {
    const name = `${harness.project}-base:1`;
    const dockerfile = join(context, 'Dockerfile.base');
    await writeFile(dockerfile, 'FROM 127.0.0.1:1/no-such-image:1\n');
    const own = await harness.open({ baseImage: { name, dockerfile } });
    try {
      const { spec, progress, imageId } = await build(
        `FROM ${name}\nUSER node\nCMD ["/bin/sh", "-c", "node --version && id -u && pwd"]\n`,
        {},
        own,
      );
      expect(progress.map(({ detail }) => detail).join('\n')).toContain('assembled from this host');
      const { runtimeId } = await own.create(spec, 1, { imageId, fresh: true });
      await own.startInstance(runtimeId);
      await untilPasses(async () => expect((await own.inspect(runtimeId))?.exit?.code).toBe(0));
      const lines: string[] = [];
      for await (const { text } of own.logs(runtimeId, { tail: 10, follow: false })) lines.push(text);
      expect(lines).toEqual([process.version, '1000', '/app']);
      await own.removeInstance(runtimeId);
      await docker.getImage(imageId).remove();
    } finally {
      await docker
        .getImage(name)
        .remove()
        .catch(() => undefined);
    }
  });

  it('names a context that is not there', async () => {
    const source: BuildSource = {
      kind: 'build',
      context: join(context, 'absent'),
      dockerfile: 'Dockerfile',
      args: {},
    };
    const prepared = runtime.prepare(harness.spec({ name: 'built', source }), PREPARE);
    await expect(prepared).rejects.toMatchObject({
      code: 'build_failed',
      message: expect.stringContaining('absent') as string,
    });
  });
});
