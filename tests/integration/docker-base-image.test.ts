import { randomBytes } from 'node:crypto';
import { access, cp, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type Docker from 'dockerode';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BuildContextReader } from '../../src/runtimes/docker/images/build-context.ts';
import { assembleHostBaseImage } from '../../src/runtimes/docker/images/host-base-image.ts';
import { runBuild } from '../../src/runtimes/docker/images/run-build.ts';
import { dockerAvailable, testEngine } from '../support/servers/docker.ts';
import { until } from '../support/until.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';

const available = (await dockerAvailable()) && process.platform === 'linux';
const APPS = fileURLToPath(new URL('../../apps', import.meta.url));
const FOLDERS = ['/usr/local/bin', '/usr/bin', '/bin'];

async function hasBusybox(): Promise<boolean> {
  const found = await Promise.allSettled(FOLDERS.map((folder) => access(join(folder, 'busybox'))));
  const has = found.some(({ status }) => status === 'fulfilled');
  if (!has) console.warn('skipped: the base image with busybox, for this host has none (Debian: busybox-static)');
  return has;
}

/** The programs of this host without busybox, as on a host where it was never installed. */
async function foldersWithoutBusybox(into: string): Promise<string[]> {
  for (const folder of FOLDERS) {
    for (const name of await readdir(folder)) {
      if (name !== 'busybox') await symlink(join(folder, name), join(into, name)).catch(() => undefined);
    }
  }
  return [into];
}

const PLAIN = [
  'test "$(id -u):$(id -g):$(pwd):$HOME" = 1000:1000:/app:/home/node || exit 11',
  'test "$(stat -c %a /tmp)" = 1777 && touch /tmp/mine /app/mine "$HOME/mine" || exit 12',
  'test "$(node --version)" = "v$NODE_VERSION" && test "$(/usr/bin/env node -p 6*7)" = 42 || exit 13',
  'ls -l / | grep -q " app$" && cat /etc/passwd | cut -d: -f1 | sort | tail -n 1 | grep -qx root || exit 14',
  'if touch /etc/not-mine 2>/dev/null; then exit 15; fi',
];

const LOOKUPS = `
  const { lookup } = require('node:dns').promises;
  const certificates = require('node:fs').readFileSync('/etc/ssl/certs/ca-certificates.crt', 'latin1');
  const own = lookup('localhost').then(({ address }) => ['127.0.0.1', '::1'].includes(address));
  const self = lookup(require('node:os').hostname()).then(() => true);
  const none = lookup('no-such-host.invalid').then(() => false, ({ code }) => /ENOTFOUND|EAI_AGAIN/.test(code));
  Promise.all([own, self, none]).then((found) =>
    process.exit(found.every(Boolean) && certificates.includes('BEGIN CERTIFICATE') ? 0 : 9));`;

describe.skipIf(!available).each([
  { shell: 'busybox', possible: await hasBusybox() },
  { shell: `the host's sh`, possible: true },
])('the base image from this host with $shell', ({ shell, possible }) => {
  const engine = testEngine();
  const project = `rv-base-${randomBytes(4).toString('hex')}`;
  const base = `${project}:base`;
  const box = shell === 'busybox';
  let folder = '';
  let images: string[] = [];
  let containers: Docker.Container[] = [];

  beforeAll(async () => {
    if (!possible) return;
    folder = await mkdtemp(join(tmpdir(), 'rv-base-'));
    images = [base];
    containers = [];
    const { summary } = await assembleHostBaseImage(engine, base, box ? FOLDERS : await foldersWithoutBusybox(folder));
    expect(summary).toContain(shell);
  });

  afterAll(async () => {
    await Promise.all(containers.map((container) => container.remove({ force: true }).catch(() => undefined)));
    const stages = possible ? await stageImages() : [];
    for (const image of [...stages, ...images.reverse()]) {
      await engine.docker
        .getImage(image)
        .remove({ force: true })
        .catch(() => undefined);
    }
    if (folder !== '') await rm(folder, { recursive: true });
  });

  /** The engine keeps the earlier stages of a build without a name; the first layer tells that they are of this base. */
  async function stageImages(): Promise<string[]> {
    const { docker } = engine;
    const first = (await docker.getImage(base).inspect()).RootFS.Layers?.[0];
    const nameless = await docker.listImages({ filters: { dangling: ['true'] } });
    const looked = await Promise.allSettled(nameless.map(({ Id }) => docker.getImage(Id).inspect()));
    return looked.flatMap((one) =>
      one.status === 'fulfilled' && one.value.RootFS.Layers?.[0] === first ? [one.value.Id] : [],
    );
  }

  async function build(name: string, context: string, dockerfile = 'Dockerfile'): Promise<string> {
    const source = { kind: 'build', context, dockerfile, args: {} } as const;
    const read = await new BuildContextReader().read(serviceSpec({ name, source }), source);
    const image = `${project}:${name}`;
    images.push(image);
    await runBuild(engine, {
      service: name,
      tar: read.tar(),
      options: { t: image, dockerfile, rm: true, forcerm: true },
      timeoutMs: 60_000,
      onProgress: () => undefined,
      signal: AbortSignal.timeout(60_000),
    });
    return image;
  }

  async function run(image: string, command: readonly string[]): Promise<{ status: number; output: string }> {
    const container = await engine.docker.createContainer({ Image: image, Cmd: [...command] });
    containers.push(container);
    await container.start();
    const { StatusCode } = (await container.wait()) as { StatusCode: number };
    return { status: StatusCode, output: String(await container.logs({ stdout: true, stderr: true })) };
  }

  it.skipIf(!possible)('gives the user node a shell, tools, a home, /tmp and node', async () => {
    expect(await run(base, ['/bin/sh', '-c', PLAIN.join('\n')])).toEqual({ status: 0, output: '' });
  });

  it.skipIf(!possible)('has certificates, and finds hosts by /etc/hosts first', async () => {
    expect(await run(base, ['node', '-e', LOOKUPS])).toEqual({ status: 0, output: '' });
  });

  it.skipIf(!possible)('carries an image with steps of both users and a HEALTHCHECK', async () => {
    const context = await mkdtemp(join(tmpdir(), 'rv-base-context-'));
    const check = box ? 'wget -q --spider http://localhost:3000/' : `node -e "fetch('http://localhost:3000/')"`;
    const lines = [
      `FROM ${base}`,
      'RUN echo mine > own.txt && test "$(id -u)" = 1000',
      'USER root',
      'RUN mkdir -p /srv/data && chown node:node /srv/data && test "$(id -u)" = 0 && test "$HOME" = /root',
      'USER node',
      'RUN touch /srv/data/x && test "$(cat own.txt)" = mine',
      'COPY --chown=node:node server.mjs ./',
      `HEALTHCHECK --interval=1s --retries=20 CMD ${check}`,
      'CMD ["node", "server.mjs"]',
    ];
    const server = `import { createServer } from 'node:http';\ncreateServer((_, r) => r.end()).listen(3000);\n`;
    try {
      await writeFile(join(context, 'Dockerfile'), `${lines.join('\n')}\n`);
      await writeFile(join(context, 'server.mjs'), server);
      const image = await build('health', context);
      const container = await engine.docker.createContainer({ Image: image, HostConfig: { Init: true } });
      containers.push(container);
      await container.start();
      const health = async () => (await container.inspect()).State.Health?.Status;
      await until(async () => (await health()) === 'healthy');
    } finally {
      await rm(context, { recursive: true });
    }
  });

  it.skipIf(!possible).each(['backend', 'frontend', 'stress-agent'])('carries the example service %s', async (name) => {
    const context = await mkdtemp(join(tmpdir(), 'rv-base-apps-'));
    try {
      await cp(APPS, context, { recursive: true });
      const dockerfile = join(context, name, 'Dockerfile');
      const text = await readFile(dockerfile, 'utf8');
      await writeFile(dockerfile, text.replaceAll('FROM reveille-base:20', `FROM ${base}`));
      const image = await build(name, context, `${name}/Dockerfile`);
      expect(await run(image, ['node', '-p', 'process.getuid()'])).toMatchObject({ status: 0 });
    } finally {
      await rm(context, { recursive: true });
    }
  });
});
