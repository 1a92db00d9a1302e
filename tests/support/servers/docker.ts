import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { pino } from 'pino';
import { pack } from 'tar-stream';
import { SystemClock } from '../../../src/lib/clock.ts';
import { BaseImage } from '../../../src/runtimes/docker/images/base-image.ts';
import { parseDockerHost } from '../../../src/runtimes/docker/engine/docker-host.ts';
import { Engine } from '../../../src/runtimes/docker/engine/engine.ts';
import { removeProject } from '../../../src/runtimes/docker/remove-project.ts';
import { runBuild } from '../../../src/runtimes/docker/images/run-build.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FIXTURE = join(ROOT, 'tests/fixtures/image');
const BUILD_TIMEOUT_MS = 300_000;
const STALE_LOCK_MS = 300_000;

const BASE_IMAGE = { name: 'reveille-base:20', dockerfile: join(ROOT, 'Dockerfile.base') };

export function testEngine(): Engine {
  const host = parseDockerHost(process.env['DOCKER_HOST']);
  return new Engine({ host, clock: new SystemClock(), callTimeoutMs: 60_000 });
}

/** Whether an engine answers; if not, the reason is printed, as tests that need it are skipped. */
export async function dockerAvailable(): Promise<boolean> {
  const { options, address } = parseDockerHost(process.env['DOCKER_HOST']);
  const reason = await new Docker({ ...options, timeout: 20_000 }).ping().then(
    () => undefined,
    (error: unknown) => String(error),
  );
  if (reason !== undefined)
    console.warn(`skipped: tests with real containers, for no Docker engine answers at ${address} (${reason})`);
  return reason === undefined;
}

export interface FixtureImageOptions {
  /** With the HEALTHCHECK `node server.mjs --check`. */
  readonly healthcheck?: boolean;
}

/** The image of tests/fixtures/image: built once for its contents, also when several test files ask at the same time. */
export async function fixtureImage({ healthcheck = false }: FixtureImageOptions = {}): Promise<string> {
  const names = (await readdir(FIXTURE)).filter((name) => name.endsWith('.mjs')).sort();
  const files = await Promise.all(
    names.map(async (name) => [name, await readFile(join(FIXTURE, name), 'utf8')] as const),
  );
  return testImage('reveille-fixture', [
    { name: 'Dockerfile', content: dockerfileOf(healthcheck) },
    ...files.map(([name, content]) => ({ name, content })),
  ]);
}

/** One file of a build context. */
export interface ContextFile {
  readonly name: string;
  readonly content: string | Buffer;
  /** [0o644] */
  readonly mode?: number;
}

/** An image on top of the base image: built once for its files, also when several test files ask at the same time. */
export async function testImage(repository: string, files: readonly ContextFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { name, content, mode = 0 } of files) hash.update(`${name} ${mode} ${content.length} `).update(content);
  const image = `${repository}:${hash.digest('hex').slice(0, 12)}`;
  const engine = testEngine();
  if (await isPresent(engine, image)) return image;
  await locked(`${repository}-${userInfo().uid}`, async () => {
    if (!(await isPresent(engine, image))) await build(engine, image, files);
  });
  return image;
}

function dockerfileOf(healthcheck: boolean): string {
  const check = 'HEALTHCHECK --interval=1s --timeout=30s --retries=2 CMD ["node", "/app/server.mjs", "--check"]';
  const lines = [
    `FROM ${BASE_IMAGE.name}`,
    'COPY *.mjs /app/',
    'EXPOSE 3000',
    ...(healthcheck ? [check] : []),
    'CMD ["node", "/app/server.mjs"]',
  ];
  return `${lines.join('\n')}\n`;
}

async function isPresent(engine: Engine, image: string): Promise<boolean> {
  return engine.docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

async function build(engine: Engine, image: string, files: readonly ContextFile[]): Promise<void> {
  const base = new BaseImage({
    ...BASE_IMAGE,
    engine,
    log: pino({ level: 'silent' }),
    buildTimeoutMs: BUILD_TIMEOUT_MS,
  });
  const onProgress = (): void => undefined;
  await base.ensure({ onProgress });
  const tar = pack();
  for (const { name, content, mode = 0o644 } of files) tar.entry({ name, mode }, content);
  tar.finalize();
  await runBuild(engine, {
    service: 'fixture',
    tar: tar as unknown as NodeJS.ReadableStream,
    options: { t: image, rm: true, forcerm: true },
    timeoutMs: BUILD_TIMEOUT_MS,
    onProgress,
    signal: new AbortController().signal,
  });
}

/** A folder as a lock between the processes of the test runner; one that its owner left behind is taken over. */
async function locked(name: string, work: () => Promise<void>): Promise<void> {
  const path = join(tmpdir(), `${name}.lock`);
  for (;;) {
    const mine = await mkdir(path).then(
      () => true,
      () => false,
    );
    if (mine) break;
    const age = Date.now() - ((await stat(path).catch(() => undefined))?.mtimeMs ?? Date.now());
    if (age > STALE_LOCK_MS) await rm(path, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  try {
    await work();
  } finally {
    await rm(path, { recursive: true, force: true });
  }
}

/** Removes all that a project made: containers, images, its network, volumes. */
export async function removeDockerProject(project: string): Promise<void> {
  await removeProject(testEngine(), project, { volumes: true });
}
