import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, type RequestListener, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BuildSource } from '../../src/config/service-spec.ts';
import { DockerRuntime, type DockerRuntimeOptions } from '../../src/runtimes/docker/docker-runtime.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { dockerOptions } from '../support/samples/docker-options.ts';
import { untilPasses } from '../support/until.ts';

/** An engine that plays: each path is answered by the first pattern that it matches, everything else with 500. */
class FakeEngine {
  readonly requests: string[] = [];
  readonly #server: Server;

  constructor(answers: readonly (readonly [RegExp, RequestListener])[]) {
    this.#server = createServer((request, response) => {
      const url = decodeURIComponent(request.url ?? '');
      this.requests.push(`${request.method ?? ''} ${url}`);
      request.on('error', () => undefined).resume();
      const answer = answers.find(([pattern]) => pattern.test(url))?.[1];
      if (answer) answer(request, response);
      else response.writeHead(500, { 'Content-Type': 'application/json' }).end('{"message":"it broke"}');
    });
  }

  listen(path: string): Promise<void> {
    return new Promise((resolve) => this.#server.listen(path, resolve));
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => this.#server.close(() => resolve()));
  }
}

function json(value: unknown, status = 200): RequestListener {
  return (_request, response) =>
    void response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(value));
}

const open: RequestListener = (_request, response) => response.writeHead(200).flushHeaders();
const INFO = [/^\/info/, json({ SystemTime: '2026-11-21T10:00:00.5Z' })] as const;
const VERSION = [/^\/version/, json({ Version: '20.10.24', Os: 'linux', Arch: 'amd64', Components: [] })] as const;
const PING = [/^\/_ping/, (_request, response) => void response.end('OK')] as const satisfies readonly [
  RegExp,
  RequestListener,
];
const EVENTS = [/^\/events/, open] as const;
const HEALTHY = [INFO, VERSION, PING, EVENTS];

describe('the Docker driver and an engine that is not well', () => {
  let folder = '';
  let engine: FakeEngine | undefined;
  let runtime: DockerRuntime | undefined;
  let lines: { level: number; msg: string }[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'rv-fault-'));
    lines = [];
  });

  afterEach(async () => {
    await runtime?.close();
    await engine?.close();
    runtime = undefined;
    engine = undefined;
    await rm(folder, { recursive: true, force: true });
  });

  async function begin(
    answers: readonly (readonly [RegExp, RequestListener])[] | undefined,
    changes: Partial<DockerRuntimeOptions> = {},
  ): Promise<DockerRuntime> {
    const path = join(folder, 'docker.sock');
    if (answers) {
      engine = new FakeEngine(answers);
      await engine.listen(path);
    }
    const write = (line: string): void => void lines.push(JSON.parse(line) as { level: number; msg: string });
    const log = pino({ level: 'info' }, { write });
    const options = { dockerHost: `unix://${path}`, buildTimeoutMs: 5_000, log, ...changes };
    runtime = new DockerRuntime(dockerOptions('demo', options));
    await runtime.start();
    return runtime;
  }

  it('starts without one, says how to get one in one line, and finds it when it comes', async () => {
    const docker = await begin(undefined);
    expect(docker.condition).toMatchObject({
      up: false,
      code: 'ENOENT',
      reason: expect.stringContaining('start it with') as string,
    });
    await expect(docker.list()).rejects.toMatchObject({
      code: 'runtime_unavailable',
      message: expect.stringContaining('no Docker engine') as string,
    });
    const conditions: boolean[] = [];
    docker.onEvent((event) => event.type === 'condition' && conditions.push(event.condition.up));
    engine = new FakeEngine(HEALTHY);
    await engine.listen(join(folder, 'docker.sock'));
    await untilPasses(() => expect(conditions).toEqual([true]));
    expect(docker.condition).toEqual({ up: true });
    expect(lines.map(({ level }) => level)).toEqual([40, 30]);
  });

  it.skipIf(process.getuid?.() !== 0 || !process.seteuid)(
    'says how to be allowed when the permission is missing',
    async () => {
      // The folder of the socket is open to the superuser alone, who is never denied: for one attempt this process is somebody else.
      process.seteuid?.(65_534);
      try {
        const docker = await begin(undefined);
        expect(docker.condition).toMatchObject({
          code: 'EACCES',
          reason: expect.stringContaining('group docker') as string,
        });
      } finally {
        process.seteuid?.(0);
      }
    },
  );

  it('tells one that answers with errors from one that is away', async () => {
    const docker = await begin([]);
    expect(docker.condition).toMatchObject({
      up: false,
      code: 'HTTP_500',
      reason: expect.stringContaining('it broke') as string,
    });
    const asked = engine?.requests.length ?? 0;
    await untilPasses(() => expect(engine?.requests.length).toBeGreaterThan(asked + 2));
    expect(lines).toHaveLength(1);
  });

  it('does not wait for one that says nothing', async () => {
    const docker = await begin([...HEALTHY, [/^\/containers/, () => undefined]], { callTimeoutMs: 200 });
    const list = docker.list();
    await expect(list).rejects.toMatchObject({
      code: 'runtime_unavailable',
      message: expect.stringContaining('in time') as string,
    });
    expect(docker.condition).toEqual({ up: true });
  });

  it('notices one that fell silent by its heart beat', async () => {
    let silent = false;
    const ping: RequestListener = (_request, response) => (silent ? response.destroy() : response.end('OK'));
    const info: RequestListener = (request, response) => (silent ? response.destroy() : json({})(request, response));
    const docker = await begin([[/^\/info/, info], VERSION, [/^\/_ping/, ping], EVENTS], { heartbeatMs: 50 });
    expect(docker.condition).toEqual({ up: true });
    silent = true;
    await untilPasses(() => expect(docker.condition.up).toBe(false));
  });

  it('lets go at once, also of one that never answers', async () => {
    const path = join(folder, 'docker.sock');
    engine = new FakeEngine([[/./, () => undefined]]);
    await engine.listen(path);
    const docker = new DockerRuntime(dockerOptions('demo', { dockerHost: `unix://${path}` }));
    const starting = docker.start();
    await untilPasses(() => expect(engine?.requests.length).toBeGreaterThan(0));
    await docker.close();
    await starting;
    await docker.close();
  });

  it('asks for the events since the last one it heard, cut lines and all', async () => {
    const label = {
      'dev.reveille.managed': 'true',
      'dev.reveille.project': 'demo',
      'dev.reveille.service': 'web',
      'dev.reveille.index': '1',
    };
    const line = JSON.stringify({
      Type: 'container',
      Action: 'die',
      Actor: { ID: 'c1', Attributes: label },
      timeNano: 1_763_719_200_500_000_000,
    });
    let streams = 0;
    const events: RequestListener = (_request, response) => {
      streams += 1;
      response.writeHead(200);
      response.write(line.slice(0, 20));
      setTimeout(() => response.end(`${line.slice(20)}\n`), 5);
    };
    const docker = await begin([INFO, VERSION, PING, [/^\/events/, events]]);
    const heard: string[] = [];
    docker.onEvent((event) => heard.push(event.type));
    await untilPasses(() => expect(streams).toBeGreaterThan(1));
    expect(heard).toContain('changed');
    const asked = engine?.requests.filter((request) => request.includes('/events')) ?? [];
    expect(asked[0]).toContain(`since=${Date.parse('2026-11-21T10:00:00Z') / 1000}.500000000`);
    expect(asked[1]).toContain('since=1763719200.500000000');
  });

  it('is asked for nothing but words by a wake that comes to nothing', async () => {
    const noImage = [/^\/images\/.*\/json/, json({ message: 'no such image' }, 404)] as const;
    const noContainer = [/^\/containers\/.*\/json/, json({ message: 'no such container' }, 404)] as const;
    const networks = [/^\/networks/, json([])] as const;
    const docker = await begin([...HEALTHY, noImage, noContainer, networks]);
    const spec = serviceSpec({ name: 'db', source: { kind: 'image', image: 'mongo:8', pull: 'never' } });
    const wake = (): Promise<unknown> =>
      docker.prepare(spec, { onProgress: () => undefined, signal: new AbortController().signal });

    // What an answer to the first one led to has come by the time that the last one is over.
    for (let round = 0; round < 5; round += 1) await expect(wake()).rejects.toMatchObject({ code: 'image_missing' });

    expect(engine?.requests.some((request) => request.includes('/networks'))).toBe(true);
    expect(engine?.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });

  describe('while it builds', () => {
    async function build(answer: RequestListener, changes: Partial<DockerRuntimeOptions> = {}, signal?: AbortSignal) {
      await writeFile(join(folder, 'Dockerfile'), 'FROM scratch\n');
      const docker = await begin(
        [...HEALTHY, [/^\/images\/.*\/json/, json({ message: 'no such image' }, 404)], [/^\/build/, answer]],
        changes,
      );
      const source: BuildSource = { kind: 'build', context: folder, dockerfile: 'Dockerfile', args: {} };
      const options = { onProgress: () => undefined, signal: signal ?? new AbortController().signal };
      return docker.prepare(serviceSpec({ name: 'web', source }), options);
    }

    const message = (value: unknown): string => `${JSON.stringify(value)}\r\n`;

    it('fails when the reason comes in a stream that began with 200', async () => {
      const building = build((_request, response) => {
        response.write(message({ stream: 'Step 1/1 : RUN false\n' }));
        response.end(message({ errorDetail: { code: 1, message: 'returned a non-zero code: 1' }, error: 'short' }));
      });
      await expect(building).rejects.toMatchObject({
        code: 'build_failed',
        message: expect.stringMatching(/web.*non-zero code/) as string,
        logTail: ['Step 1/1 : RUN false'],
      });
    });

    it('fails when the stream is cut', async () => {
      const building = build((_request, response) => {
        response.write(message({ stream: 'Step 1/2 : FROM scratch\n' }), () => response.destroy());
      });
      await expect(building).rejects.toMatchObject({ code: 'build_failed', logTail: ['Step 1/2 : FROM scratch'] });
    });

    it('fails when the stream ends without an image', async () => {
      await expect(build((_request, response) => void response.end(message({ stream: 'done' })))).rejects.toMatchObject(
        { code: 'build_failed' },
      );
    });

    it('fails when the disk is full', async () => {
      const words = 'write /var/lib/docker/x: no space left on device';
      const building = build(
        (_request, response) => void response.end(message({ errorDetail: { message: words }, error: words })),
      );
      await expect(building).rejects.toMatchObject({
        code: 'disk_full',
        message: expect.stringContaining('web') as string,
      });
    });

    it('ends when the time is over or the caller has left', async () => {
      const hanging: RequestListener = (_request, response) =>
        void response.write(message({ stream: 'Step 1/2 : RUN sleep\n' }));
      await expect(build(hanging, { buildTimeoutMs: 200 })).rejects.toMatchObject({
        code: 'build_timeout',
        logTail: ['Step 1/2 : RUN sleep'],
      });
      await runtime?.close();
      await engine?.close();
      await expect(build(hanging, {}, AbortSignal.timeout(200))).rejects.toMatchObject({ code: 'build_failed' });
    });
  });

  describe('while it pulls', () => {
    const absent = [/^\/images\/.*\/json/, json({ message: 'no such image' }, 404)] as const;

    async function pull(answer: RequestListener, policy: 'missing' | 'never' = 'missing') {
      const docker = await begin([...HEALTHY, absent, [/^\/images\/create/, answer]]);
      const spec = serviceSpec({ name: 'db', source: { kind: 'image', image: 'mongo:8', pull: policy } });
      return docker.prepare(spec, { onProgress: () => undefined, signal: new AbortController().signal });
    }

    it.each([
      ['image_missing', json({ message: 'manifest for mongo:8 not found: manifest unknown' }, 404)],
      ['image_missing', json({ errorDetail: { message: 'pull access denied for mongo' }, error: 'x' })],
      [
        'pull_failed',
        json(
          { message: 'Get "https://registry-1.docker.io/v2/": dial tcp: lookup registry-1.docker.io: no such host' },
          500,
        ),
      ],
      ['disk_full', json({ errorDetail: { message: 'write /x: no space left on device' }, error: 'x' })],
    ])('tells %s, the image and the service', async (code, answer) => {
      await expect(pull(answer)).rejects.toMatchObject({
        code,
        message: expect.stringMatching(/mongo:8.*db/) as string,
      });
    });

    it('pulls one tag, not all of them', async () => {
      await expect(pull(json({ status: 'done' }))).rejects.toMatchObject({ code: 'pull_failed' });
      expect(engine?.requests.find((request) => request.includes('/images/create'))).toContain('tag=8');
    });

    it('does not pull what must not be pulled', async () => {
      await expect(pull(open, 'never')).rejects.toMatchObject({ code: 'image_missing' });
      expect(engine?.requests.some((request) => request.includes('/images/create'))).toBe(false);
    });
  });
});
