import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable } from '../support/servers/docker.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { SPARING, until } from '../support/until.ts';

const hasDocker = await dockerAvailable();
const APPS = join(fileURLToPath(new URL('../..', import.meta.url)), 'apps');
const PATIENCE = { timeout: 60_000, interval: 50 };

interface Use {
  readonly cpuRatio: number | null;
  readonly memoryBytes: number | null;
  readonly memoryLimitBytes: number | null;
}

describe.skipIf(!hasDocker)('the example backend under its own stress', () => {
  let daemon: Daemon;
  let watcher: MqttWatcher;
  /** A real one where there is one: it outlives the daemon. */
  let broker: Mosquitto | undefined;

  beforeAll(async () => {
    const backend = {
      routes: ['server'],
      build: { context: APPS, dockerfile: 'backend/Dockerfile' },
      port: 7070,
      env: { PORT: 7070 },
      readiness: { http: '/ping' },
      // A fifth of a core, so that the limit is reached on a busy machine too.
      resources: { cpus: 0.2, memory: '128m' },
      monitor: { for: '1s', cpu: { warn: 35, panic: 75 } },
    };
    if (hasMosquitto) {
      broker = await Mosquitto.create();
      await broker.start();
    }
    const env = broker && { MQTT_BROKER_URL: `mqtt://127.0.0.1:${broker.port}` };
    daemon = await Daemon.start({ services: { backend }, ...(env && { env }) });
    watcher = await MqttWatcher.watch(daemon.up.broker.split(' ')[0] ?? '', 'services');
    expect((await daemon.ask('server', { path: '/ping' })).status).toBe(200);
  }, 180_000);

  afterAll(async () => {
    await watcher.close();
    await daemon.dispose();
    await broker?.dispose();
  });

  const stress = (path: string) => daemon.ask('server', { method: 'POST', path: `/api/stress${path}` });
  const heard = (type: string) =>
    watcher.payloads(`services/backend/event/${type}`).map((text) => JSON.parse(text) as Record<string, unknown>);
  const use = async (): Promise<Use> =>
    ((await daemon.api('GET', '/services/backend')).json()['instances'] as Use[])[0] as Use;

  const samples = async (): Promise<(Use & { instance: string; at: string })[]> => {
    const answer = (await daemon.api('GET', '/services/backend/samples')).json();
    expect(answer['service']).toBe('backend');
    return answer['samples'] as (Use & { instance: string; at: string })[];
  };

  it('warns, panics and recovers over MQTT', async () => {
    await until(async () => ((await use()).cpuRatio ?? 1) < 0.25, SPARING);
    // Percent of a core: half of what it may have.
    expect((await stress('?intensity=11&duration=120000')).status).toBe(202);
    const warned = await until(() => heard('cpu.warn')[0], PATIENCE);
    expect(heard('cpu.panic')).toEqual([]);
    await stress('?intensity=80&duration=120000');
    const panicked = await until(() => heard('cpu.panic')[0], PATIENCE);
    await stress('/stop');
    const recovered = await until(() => heard('cpu.recovered')[0], PATIENCE);

    expect(warned).toMatchObject({
      specversion: '1.0',
      subject: 'backend/backend-1',
      data: { threshold: 35, from: 'calm' },
    });
    expect(panicked).toMatchObject({ type: 'cpu.panic', data: { threshold: 75, from: 'warn' } });
    expect((panicked['data'] as { percent: number }).percent).toBeGreaterThanOrEqual(75);
    expect(recovered['data']).toMatchObject({ threshold: 35 });
    const onNetwork = (): { message: { event: string; action: string } }[] =>
      watcher
        .payloads('services/network')
        .map((text) => JSON.parse(text) as { message: { event: string; action: string } });
    // Each event is told there after it was told on its own topic.
    await until(() => onNetwork().some(({ message }) => message.action === 'recovered'), PATIENCE);
    const network = onNetwork();
    expect(network.map(({ message }) => message).filter(({ event }) => event === 'cpu')).toMatchObject([
      { action: 'warn', instance: 'backend-1' },
      { action: 'panic' },
      { action: expect.stringMatching(/^(warn|recovered)$/) as string },
      ...(heard('cpu.warn').length > 1 ? [{ action: 'recovered' }] : []),
    ]);
  }, 200_000);

  it.skipIf(!hasMosquitto)(
    'tells no alarm twice that rings on while the daemon is restarted, and tells its end',
    async () => {
      await stress('?intensity=80&duration=120000');
      const panics = heard('cpu.panic').length;
      await until(() => heard('cpu.panic').length > panics, PATIENCE);
      await daemon.end('SIGTERM');
      const before = watcher.heard.length;
      await daemon.boot();

      const high = ({ cpuRatio }: Use): boolean => (cpuRatio ?? 0) > 0.75;
      await until(async () => (await samples()).filter(high).length >= 4, SPARING);
      const since = (): { type: string; data: { from: string } }[] =>
        watcher.heard
          .slice(before)
          .filter(({ topic }) => topic.startsWith('services/backend/event/cpu.'))
          .map(({ payload }) => JSON.parse(payload) as { type: string; data: { from: string } });
      expect(since().filter(({ data }) => data.from === 'calm')).toEqual([]);
      await stress('/stop');
      await until(() => since().some(({ type }) => type === 'cpu.recovered'), PATIENCE);
      expect(since().filter(({ data }) => data.from === 'calm')).toEqual([]);
    },
    200_000,
  );

  it('leaves samples that show it', async () => {
    const found = await samples();
    expect(found.every(({ instance }) => instance === 'backend-1')).toBe(true);
    const ratios = found.flatMap(({ cpuRatio }) => cpuRatio ?? []);
    expect(Math.max(...ratios)).toBeGreaterThan(0.75);
    expect(Math.min(...ratios)).toBeLessThan(0.3);
    expect(found.at(-1)).toMatchObject({ memoryLimitBytes: 128 * 2 ** 20 });
    expect(found.map(({ at }) => at)).toEqual(found.map(({ at }) => at).sort());
  });

  it('shows null, not zero, once it sleeps', async () => {
    expect((await use()).memoryBytes).toBeGreaterThan(1_000_000);
    await daemon.api('POST', '/services/backend/sleep');
    expect(await use()).toMatchObject({ cpuRatio: null, memoryBytes: null, memoryLimitBytes: null });
  });
});
