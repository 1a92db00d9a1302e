import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import Docker from 'dockerode';
import { pino } from 'pino';
import { pack } from 'tar-stream';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { ImageSource, ServiceSpec } from '../../src/config/service-spec.ts';
import type { PrepareProgress } from '../../src/fleet/runtime.ts';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import type { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { DockerHarness, PREPARE } from '../support/set-ups/docker-harness.ts';
import { DockerRegistry, registryAvailable } from '../support/servers/docker-registry.ts';
import { untilPasses } from '../support/until.ts';

const available = registryAvailable() && (await dockerAvailable());
const LAYER_BYTES = 2_000_000;
const USER = { username: 'reader', password: 's3cret-word' };
const HTPASSWD = 'reader:$2y$04$abcdefghijklmnopqrstuuzQDw2v3CQSMowG.sq3X.nH1lfmlmQMW';
const BASIC = Buffer.from(`${USER.username}:${USER.password}`).toString('base64');

describe.skipIf(!available)('the Docker driver that pulls an image', () => {
  const docker = new Docker(parseDockerHost(undefined).options);
  let registry: DockerRegistry;
  let closed: DockerRegistry;
  let harness: DockerHarness;
  let folder = '';
  let logged: string[] = [];
  let image = '';
  let hanging: Server | undefined;

  beforeAll(async () => {
    registry = await DockerRegistry.start();
    closed = await DockerRegistry.start({ htpasswd: HTPASSWD });
  });

  afterAll(async () => {
    await registry.dispose();
    await closed.dispose();
  });

  beforeEach(async () => {
    harness = new DockerHarness('none');
    folder = await mkdtemp(join(tmpdir(), 'rv-pull-'));
    vi.stubEnv('DOCKER_CONFIG', folder);
    logged = [];
    image = `${registry.host}/${harness.project}:1`;
  });

  afterEach(async () => {
    vi.unstubAllEnvs();
    hanging?.closeAllConnections();
    hanging?.close();
    hanging = undefined;
    await harness.close();
    const left = await docker.listImages({ filters: { reference: [`*/${harness.project}`] } });
    // By name: the contents may be those of an image that others use.
    const names = left.flatMap(({ RepoTags, RepoDigests }) => [...(RepoTags ?? []), ...(RepoDigests ?? [])]);
    // With the last tag its digest goes too, so that some are gone already.
    const own = names.filter((name) => name.includes(harness.project));
    await Promise.allSettled(own.map((name) => docker.getImage(name).remove()));
    await rm(folder, { recursive: true });
  });

  /** Puts an image into the registry that is nowhere else. */
  async function publish(name: string, auth?: typeof USER): Promise<void> {
    const tar = pack();
    tar.entry({ name: 'data' }, randomBytes(LAYER_BYTES));
    tar.finalize();
    const at = name.lastIndexOf(':');
    const options = { repo: name.slice(0, at), tag: name.slice(at + 1), changes: ['CMD ["/data"]'] };
    (await docker.importImage(tar as unknown as NodeJS.ReadableStream, options)).resume();
    await untilPasses(() => docker.getImage(name).inspect());
    await push(name, auth);
  }

  async function push(name: string, auth?: typeof USER): Promise<void> {
    const stream = await docker.getImage(name).push({ authconfig: { ...auth, serveraddress: name.split('/')[0]! } });
    const lines = await new Promise<{ error?: string }[]>((resolve, reject) => {
      docker.modem.followProgress(stream, (error, output: object[]) => (error ? reject(error) : resolve(output)));
    });
    expect(lines.find(({ error }) => error !== undefined)).toBeUndefined();
    await docker.getImage(name).remove();
  }

  async function open(pullSilenceMs?: number): Promise<DockerRuntime> {
    const log = pino({ level: 'trace' }, { write: (line: string) => void logged.push(line) });
    return harness.open({ log, pullSilenceMs });
  }

  function specOf(pull: ImageSource['pull'], name = image): ServiceSpec {
    return harness.spec({ name: 'db', source: { kind: 'image', image: name, pull } });
  }

  async function prepare(runtime: DockerRuntime, spec: ServiceSpec, signal = PREPARE.signal) {
    const progress: PrepareProgress[] = [];
    const prepared = await runtime.prepare(spec, { signal, onProgress: (step) => progress.push(step) });
    return { ...prepared, progress };
  }

  /** Every text of a failure that people or logs may see. */
  async function failureOf(work: Promise<unknown>): Promise<{ code: string; message: string }> {
    const error = await work.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(Error);
    const texts = [String(error), JSON.stringify(error), String((error as Error).cause), ...logged].join('\n');
    expect(texts).not.toContain(USER.password);
    expect(texts).not.toContain(BASIC);
    return error as Error & { code: string };
  }

  async function logIn(auth: string): Promise<void> {
    await writeFile(join(folder, 'config.json'), JSON.stringify({ auths: { [closed.host]: { auth } } }));
  }

  it('pulls what is missing, tells how far it is, and does not pull again', async () => {
    await publish(image);
    const runtime = await open();
    const first = await prepare(runtime, specOf('missing'));
    expect(first.fresh).toBe(true);
    expect(first.progress[0]).toMatchObject({ phase: 'pull', detail: expect.stringContaining(image) as string });
    const ratios = first.progress.map(({ ratio }) => ratio ?? 0);
    expect(ratios.at(-1)).toBe(1);
    expect(ratios).toEqual([...ratios].sort((left, right) => left - right));
    const again = await prepare(runtime, specOf('missing'));
    expect(again).toEqual({ imageId: first.imageId, fresh: false, progress: [] });
  });

  it('runs what it pulled', async () => {
    const fixture = docker.getImage(await fixtureImage());
    await fixture.tag({ repo: `${registry.host}/${harness.project}`, tag: '1' });
    await push(image);
    const { endpoints } = await harness.launch(await open(), specOf('missing'));
    const { host, port } = endpoints[3000]!;
    await untilPasses(async () => expect((await fetch(`http://${host}:${port}/ping`)).status).toBe(200));
  });

  it(`pulls nothing with 'never', and says what is missing and what to do`, async () => {
    await publish(image);
    const { code, message } = await failureOf(prepare(await open(), specOf('never')));
    expect(code).toBe('image_missing');
    expect(message).toContain(image);
    expect(message).toContain('service db');
    expect(message).toContain(`docker pull ${image}`);
    await expect(docker.getImage(image).inspect()).rejects.toMatchObject({ statusCode: 404 });
  });

  it(`follows a tag that moved with 'always', and replaces the instance`, async () => {
    await publish(image);
    const runtime = await open();
    const spec = specOf('always');
    const first = await prepare(runtime, spec);
    const made = await runtime.create(spec, 1, first);
    expect(await prepare(runtime, spec)).toMatchObject({ imageId: first.imageId, fresh: false });
    expect((await runtime.create(spec, 1, first)).runtimeId).toBe(made.runtimeId);

    // Somebody else publishes under the same tag; this engine goes on with what it has.
    await publish(image);
    await docker.getImage(first.imageId).tag({ repo: image.slice(0, -2), tag: '1' });
    expect(await prepare(runtime, specOf('missing'))).toMatchObject({ imageId: first.imageId, fresh: false });
    const second = await prepare(runtime, spec);
    expect(second.fresh).toBe(true);
    expect(second.imageId).not.toBe(first.imageId);
    const replaced = await runtime.create(spec, 1, second);
    expect(replaced.runtimeId).not.toBe(made.runtimeId);
    expect((await docker.getContainer(replaced.runtimeId).inspect()).Image).toBe(second.imageId);
    expect(await runtime.list()).toHaveLength(1);
  });

  it(`uses the image that is there when the registry is away, also with 'always'`, async () => {
    const away = await DockerRegistry.start();
    const name = `${away.host}/${harness.project}:1`;
    await publish(name);
    const runtime = await open();
    const first = await prepare(runtime, specOf('missing', name));
    await away.dispose();
    expect(await prepare(runtime, specOf('always', name))).toMatchObject({ imageId: first.imageId, fresh: false });
    expect(logged.join('')).toContain('the image that is present is used');
    await docker.getImage(name).remove();
    const { code, message } = await failureOf(prepare(runtime, specOf('missing', name)));
    expect(code).toBe('pull_failed');
    expect(message).toMatch(/service db.*check the network and the registry/);
  });

  it.each([
    ['tag', ':no-such-tag'],
    ['digest', `@sha256:${'0'.repeat(64)}`],
  ])('says that there is no such %s', async (_kind, suffix) => {
    await publish(image);
    const name = `${image.slice(0, -2)}${suffix}`;
    const { code, message } = await failureOf(prepare(await open(), specOf('missing', name)));
    expect(code).toBe('image_missing');
    expect(message).toContain(name);
    expect(message).toMatch(/service db.*correct its name/);
  });

  describe('from a registry that wants credentials', () => {
    beforeEach(async () => {
      image = `${closed.host}/${harness.project}:1`;
      await publish(image, USER);
    });

    it.each([
      ['none', undefined],
      ['wrong ones', Buffer.from('reader:wrong').toString('base64')],
    ])('says how to log in when there are %s', async (_which, auth) => {
      if (auth !== undefined) await logIn(auth);
      const { code, message } = await failureOf(prepare(await open(), specOf('missing')));
      expect(code).toBe('pull_failed');
      expect(message).toContain(`image ${image} of service db`);
      expect(message).toContain(`docker login ${closed.host}`);
    });

    it('uses those of config.json, as they are at that moment', async () => {
      const runtime = await open();
      await failureOf(prepare(runtime, specOf('missing')));
      await logIn(BASIC);
      expect(await prepare(runtime, specOf('missing'))).toMatchObject({ fresh: true });
    });

    it('uses them for the base of a build as well', async () => {
      await logIn(BASIC);
      await writeFile(join(folder, 'Dockerfile'), `FROM ${image}\nLABEL built=yes\n`);
      const source = { kind: 'build', context: folder, dockerfile: 'Dockerfile', args: {} } as const;
      const { fresh } = await prepare(await open(), harness.spec({ name: 'db', source }));
      expect(fresh).toBe(true);
    });
  });

  describe('from a registry that hangs', () => {
    const digest = `sha256:${'a'.repeat(64)}`;
    const layer = { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', size: 1_000_000, digest };
    const manifest = {
      schemaVersion: 2,
      mediaType: 'application/vnd.docker.distribution.manifest.v2+json',
      config: { mediaType: 'application/vnd.docker.container.image.v1+json', size: 1_000, digest },
      layers: [layer],
    };
    async function hang(answer: RequestListener): Promise<void> {
      hanging = createServer(answer);
      hanging.listen(0, '127.0.0.1');
      await once(hanging, 'listening');
      image = `127.0.0.1:${(hanging.address() as AddressInfo).port}/${harness.project}:1`;
    }

    /** Resolves when the request has come that is not answered (to its end). */
    function stuck(answer: RequestListener): Promise<void> {
      const part = answer === silent ? '/v2/' : answer === dumb ? '/manifests/' : '/blobs/';
      return new Promise((resolve) => {
        hanging?.on('request', ({ url = '' }: IncomingMessage) => url.includes(part) && resolve());
      });
    }

    const silent: RequestListener = () => undefined;
    const dumb: RequestListener = ({ url = '' }, response) => {
      if (!url.includes('/manifests/')) response.writeHead(200).end();
    };
    const stalling: RequestListener = ({ url = '' }, response) => {
      if (url.includes('/manifests/'))
        response.writeHead(200, { 'Content-Type': manifest.mediaType }).end(JSON.stringify(manifest));
      else if (url.includes('/blobs/')) response.writeHead(200, { 'Content-Length': layer.size }).write('x');
      else response.writeHead(200).end();
    };

    it.each([
      ['before its first word', silent],
      ['before its manifest', dumb],
      ['in the middle of a layer', stalling],
    ])('gives up %s', async (_when, answer) => {
      await hang(answer);
      const { code, message } = await failureOf(prepare(await open(500), specOf('missing')));
      expect(code).toBe('pull_failed');
      expect(message).toMatch(/service db cannot be pulled: no word of the registry for 0\.5 s; check the network/);
      expect(message).toContain(image);
    });

    it.each([
      ['before its first word', silent],
      ['before its manifest', dumb],
      ['in the middle of a layer', stalling],
    ])('lets go at once when the caller has left, %s', async (_when, answer) => {
      await hang(answer);
      const caller = new AbortController();
      const asked = stuck(answer);
      const failing = failureOf(prepare(await open(), specOf('missing'), caller.signal));
      await asked;
      caller.abort();
      const { code, message } = await failing;
      expect(code).toBe('start_cancelled');
      expect(message).toMatch(/service db was called off/);
    });

    it('lets go when the daemon closes', async () => {
      await hang(silent);
      const runtime = await open();
      const asked = once(hanging!, 'request');
      const failing = failureOf(prepare(runtime, specOf('missing')));
      await asked;
      await runtime.close();
      expect(await failing).toMatchObject({ code: 'start_cancelled' });
    });
  });
});
