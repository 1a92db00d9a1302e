import { once } from 'node:events';
import { request as httpsRequest, type RequestOptions } from 'node:https';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { localhostLookup } from '../../src/lib/localhost-lookup.ts';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { until, untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();

/** Ends some seconds after it was asked to. */
const SLOW_TO_END = `
  const boot = String(process.hrtime.bigint());
  require('http').createServer((_, response) => response.end(JSON.stringify({ boot }))).listen(3000);
  process.on('SIGTERM', () => setTimeout(() => process.exit(0), 4000));
`;

function services(image: string): Record<string, unknown> {
  const web = (name: string, more: Record<string, unknown>): Record<string, unknown> => ({
    [name]: { routes: [name], image, ...more },
  });
  const quick = { sleep: { after: '1s' } };
  return {
    ...web('download', quick),
    ...web('stream', quick),
    ...web('socket', quick),
    ...web('upload', quick),
    ...web('reference', { sleep: { after: '2500ms' } }),
    ...web('ending', { command: ['node', '-e', SLOW_TO_END], sleep: { after: '500ms' } }),
    ...web('tiers', {
      sleep: {
        after: '1s',
        strategy: 'pause',
        then: { after: '1s', strategy: 'stop', then: { after: '1s', strategy: 'remove' } },
      },
    }),
    ...web('busy', { sleep: { after: '500ms', unless: { probe: '/ping' } } }),
    ...web('free', { sleep: { after: '500ms', unless: { probe: '/status?code=503' } } }),
    ...web('ordered', {}),
  };
}

describe.skipIf(!hasDocker)('sleep', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await Daemon.start({ services: services(await fixtureImage()) });
  });

  afterAll(() => daemon.dispose());

  const isAsleep = async (service: string): Promise<void> => {
    await daemon.event('service.asleep', service);
  };

  it('comes only with no download, event stream, WebSocket or upload open (scenario 34)', async () => {
    const closings = await Promise.all([
      openDownload(daemon),
      openStream(daemon),
      openSocket(daemon),
      openUpload(daemon),
    ]);
    await daemon.ask('reference');
    await isAsleep('reference');

    const held = ['download', 'stream', 'socket', 'upload'];
    for (const service of held) expect(await daemon.containers.states(service), service).toEqual(['running']);
    expect(held.flatMap((service) => daemon.events('service.asleep', service))).toEqual([]);

    for (const close of closings) close();
    await Promise.all(held.map(isAsleep));
    for (const service of held) expect(await daemon.containers.states(service), service).toEqual(['exited']);
    expect(daemon.events('service.asleep', 'socket')[0]).toMatchObject({ reason: 'idle', strategy: 'stop' });
  });

  it('that has begun keeps no request from a new start (scenario 34)', async () => {
    const first = (await daemon.ask('ending')).json();
    const status = async (): Promise<unknown> =>
      (await daemon.ask('ending', { path: '/.well-known/reveille' })).json()['status'];
    await until(async () => (await status()) !== 'awake');
    expect(await daemon.containers.states('ending')).toEqual(['running']);

    const answer = await daemon.ask('ending');

    expect(answer.status).toBe(200);
    expect(answer.json()['boot']).not.toBe(first['boot']);
  });

  it('gets deeper tier by tier: paused, stopped, removed', async () => {
    await daemon.ask('tiers');
    await untilPasses(async () => expect(await daemon.containers.states('tiers')).toEqual([]));

    const tiers = ['pause', 'unpause', 'die', 'destroy'];
    const done = await daemon.containers.history('tiers');
    expect(done.filter((action) => tiers.includes(action))).toEqual(tiers);
    expect((await daemon.ask('tiers')).status).toBe(200);
    expect(daemon.events('service.asleep', 'tiers')[0]).toMatchObject({ reason: 'idle', strategy: 'pause' });
  });

  it('does not come while the service itself objects', async () => {
    await Promise.all([daemon.ask('busy'), daemon.ask('free')]);

    await isAsleep('free');
    await daemon.ask('reference');
    await until(() => daemon.events('service.asleep', 'reference').length === 2);

    expect(await daemon.containers.states('free')).toEqual(['exited']);
    expect(await daemon.containers.states('busy')).toEqual(['running']);
  });

  it('comes at once when the operator says so', async () => {
    await daemon.ask('ordered');
    const answer = await daemon.api('POST', '/services/ordered/sleep');

    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ asleep: true, status: 'asleep' });
    expect(await daemon.containers.states('ordered')).toEqual(['exited']);
    expect(daemon.events('service.asleep', 'ordered')[0]).toMatchObject({ reason: 'operator' });
  });
});

type Close = () => void;

/** Nobody reads on after the head: what is left of the body waits in buffers, in flight. */
async function openDownload(daemon: Daemon): Promise<Close> {
  const response = await daemon.client.open(daemon.host('download'), { path: '/big?bytes=268435456' });
  response.on('error', () => undefined);
  return () => response.destroy();
}

async function openStream(daemon: Daemon): Promise<Close> {
  const response = await daemon.client.open(daemon.host('stream'), { path: '/events?ms=200' });
  response.on('error', () => undefined);
  response.resume();
  return () => response.destroy();
}

async function openSocket(daemon: Daemon): Promise<Close> {
  const socket = await daemon.client.webSocket(daemon.host('socket'), '/ws');
  return () => socket.close();
}

/** The head and one byte of the body; the rest comes with the end. */
async function openUpload(daemon: Daemon): Promise<Close> {
  const options: RequestOptions = { lookup: localhostLookup, method: 'POST', path: '/echo', agent: false };
  const where = { host: daemon.host('upload'), port: daemon.up.port, ca: daemon.ca };
  const request = httpsRequest({ ...options, ...where, headers: { 'content-length': '2' } });
  request.on('error', () => undefined);
  request.on('response', (response) => response.resume());
  request.write('a');
  await once(request, 'socket');
  await daemon.event('service.awake', 'upload');
  return () => request.end('b');
}
