import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import { Daemon, type LogLine } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { SocketRelay } from '../support/relays/socket-relay.ts';
import { until } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const engine = parseDockerHost(process.env['DOCKER_HOST']);
const enginePath = engine.address.slice('unix://'.length);

let folder = '';
let socketPath = '';

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'rv-engine-'));
  socketPath = join(folder, 'docker.sock');
});

afterEach(() => rm(folder, { recursive: true, force: true }));

describe.skipIf(!hasDocker || !engine.local)('a daemon whose engine goes away', () => {
  let daemon: Daemon;
  let relay: SocketRelay;

  beforeEach(async () => {
    const image = await fixtureImage();
    relay = new SocketRelay(enginePath, socketPath);
    await relay.open();
    daemon = await Daemon.start({
      services: { awake: { routes: ['awake'], image }, other: { routes: ['other'], image } },
      env: { DOCKER_HOST: `unix://${socketPath}` },
    });
  });

  afterEach(async () => {
    await relay.cut();
    await daemon.dispose();
  });

  it('corrects on its return what happened meanwhile (scenario 12)', async () => {
    const before = (await daemon.ask('awake')).json();
    await relay.cut();
    await until(() => conditionLines(daemon).length === 2);
    await (await daemon.containers.one('awake')).kill();

    await relay.open();
    const returned = await until(() => conditionLines(daemon)[2]);
    const died = await daemon.event('instance.died', 'awake');

    // At once, however busy the machine is: everything is compared once a minute in any case.
    expect(Date.parse(String(died['time'])) - Date.parse(String(returned['time']))).toBeLessThan(20_000);
    const after = await daemon.ask('awake');
    expect(after.status).toBe(200);
    expect(after.json()['boot']).not.toBe(before['boot']);
  });

  it('serves what runs, says why it wakes nothing, and tells each change in one line (scenario 13)', async () => {
    const before = (await daemon.ask('awake')).json();
    await relay.cut();
    await until(() => conditionLines(daemon).length === 2);

    const running = await Promise.all(Array.from({ length: 20 }, () => daemon.ask('awake')));
    const sleeping = await daemon.ask('other');
    const health = (await daemon.api('GET', '/health')).json<{ runtime: Record<string, unknown> }>();

    expect(running.map(({ status }) => status)).toEqual(Array(20).fill(200));
    expect(sleeping.status).toBe(503);
    expect(Number(sleeping.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(sleeping.json()).toMatchObject({ code: 'runtime_unavailable' });
    expect(health.runtime).toMatchObject({ kind: 'docker', up: false });
    expect(health.runtime['reason']).toContain(socketPath);

    await relay.open();
    await until(() => conditionLines(daemon).length === 3);
    expect((await daemon.ask('other')).status).toBe(200);
    expect((await daemon.ask('awake')).json()['boot']).toBe(before['boot']);
    expect(conditionLines(daemon).map(({ level }) => level)).toEqual([30, 40, 30]);
  });

  it('goes on when only the stream of events is cut', async () => {
    await daemon.ask('awake');
    relay.drop();
    await (await daemon.containers.one('awake')).kill();

    await daemon.event('instance.died', 'awake');
    expect((await daemon.ask('awake')).status).toBe(200);
  });
});

describe('a daemon without an engine that serves it (scenario 37)', () => {
  let upstream: Server;
  let daemon: Daemon | undefined;
  let fake: Server | undefined;

  beforeAll(async () => {
    upstream = createServer((_request, response) => response.end('from elsewhere')).listen(0, '127.0.0.1');
    await once(upstream, 'listening');
  });

  afterAll(() => {
    upstream.close();
  });

  afterEach(async () => {
    await daemon?.dispose();
    daemon = undefined;
    fake?.closeAllConnections();
    fake?.close();
    fake = undefined;
  });

  const listen = async (answer: RequestListener): Promise<void> => {
    fake = createServer(answer).listen(socketPath);
    await once(fake, 'listening');
  };

  const start = async (options: { uid?: number } = {}): Promise<Daemon> => {
    const { port } = upstream.address() as AddressInfo;
    daemon = await Daemon.start({
      services: {
        elsewhere: { routes: ['elsewhere'], url: `http://127.0.0.1:${port}` },
        contained: { routes: ['contained'], image: 'reveille-e2e/nothing:1' },
      },
      env: { DOCKER_HOST: `unix://${socketPath}` },
      withoutDocker: true,
      ...options,
    });
    return daemon;
  };

  const expectToServeAndTell = async (reason: RegExp): Promise<void> => {
    const elsewhere = await daemon?.ask('elsewhere');
    const contained = await daemon?.ask('contained');
    const health = (await daemon?.api('GET', '/health'))?.json<{ status: string; runtime: Record<string, unknown> }>();

    expect(elsewhere).toMatchObject({ status: 200, body: 'from elsewhere' });
    expect(contained?.status).toBe(503);
    expect(contained?.json()).toMatchObject({ code: 'runtime_unavailable' });
    expect(health).toMatchObject({ status: 'degraded', runtime: { up: false } });
    expect(health?.runtime['reason']).toMatch(reason);
  };

  it('serves url services and says that the socket is missing', async () => {
    await start();
    await expectToServeAndTell(/no Docker engine answers at .*docker\.sock/);
  });

  it('serves url services and says that the engine answers with errors', async () => {
    await listen((_request, response) => void response.writeHead(500).end('{"message":"it broke"}'));
    await start();
    await expectToServeAndTell(/answers 500: it broke/);
  });

  it('serves url services and says that it may not talk to the engine', async (context) => {
    // For root no socket is forbidden, so the daemon runs as somebody else; that needs a project others may read.
    const uid = process.getuid?.() === 0 ? 65_534 : undefined;
    if (uid !== undefined && !Daemon.mayRunAs(uid)) context.skip('other users may not read this folder');
    await listen((_request, response) => void response.end('OK'));
    await chmod(socketPath, 0o600);
    await chmod(folder, 0o755);
    if (uid === undefined) await chmod(socketPath, 0);

    await start(uid === undefined ? {} : { uid });

    await expectToServeAndTell(/permission denied at .*docker\.sock.*group docker/);
  });

  it.skipIf(!hasDocker || !engine.local)('takes the engine as soon as it answers', async () => {
    await start();
    const relay = new SocketRelay(enginePath, socketPath);
    await relay.open();
    await until(() => daemon?.log.some(({ msg }) => msg === 'the Docker engine answers'));

    const answer = await daemon?.ask('contained');

    await daemon?.end('SIGKILL');
    await daemon?.containers.removeAll();
    await relay.cut();

    expect(answer?.status).toBe(502);
    expect(answer?.json<{ code: string }>().code).toMatch(/^(image_missing|pull_failed)$/);
  });
});

/** What the log says of the engine coming and going. */
function conditionLines(daemon: Daemon): LogLine[] {
  return daemon.log.filter((line) => line['engine'] !== undefined && Number(line['level']) >= 30);
}
