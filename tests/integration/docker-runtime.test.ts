import Docker from 'dockerode';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { DockerHarness, PREPARE, record } from '../support/set-ups/docker-harness.ts';
import { SocketRelay } from '../support/relays/socket-relay.ts';
import { untilPasses } from '../support/until.ts';

const available = await dockerAvailable();
const CA = '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n';

/** The first item; the loop is left after it. */
async function takeOne<T>(items: AsyncIterable<T>): Promise<T | undefined> {
  for await (const item of items) return item;
  return undefined;
}

describe.skipIf(!available)('the Docker driver on a real engine', () => {
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

  async function inside(runtimeId: string, script: string): Promise<number> {
    return runtime.exec(runtimeId, ['node', '-e', script], AbortSignal.timeout(10_000));
  }

  it('leaves what runs to the next daemon, which finds it as it is', async () => {
    const launched = await harness.launch(runtime);
    await runtime.close();
    const next = await harness.open();
    const [found] = await next.list();
    expect(found).toMatchObject({ runtimeId: launched.runtimeId, state: 'running', endpoints: launched.endpoints });
    expect(found?.configHash).toBe(next.configHash(harness.spec()));
    const again = await harness.launch(next);
    expect(again.runtimeId).toBe(launched.runtimeId);
  });

  it('replaces a container whose configuration changed, and keeps one whose surroundings changed while it runs', async () => {
    const launched = await harness.launch(runtime);
    const other = await harness.open({ hostsOf: () => ['new.example.localhost'] });
    expect((await harness.launch(other)).runtimeId).toBe(launched.runtimeId);
    await other.stopInstance(launched.runtimeId, 1_000);
    expect((await harness.launch(other)).runtimeId).not.toBe(launched.runtimeId);
    const changed = await harness.launch(other, harness.spec({ env: { CHANGED: '1' } }));
    expect(await other.list()).toHaveLength(1);
    expect(changed.state).toBe('running');
  });

  it('never touches a foreign container that has the name', async () => {
    const name = `${harness.project}-web-1`;
    const foreign = await docker.createContainer({ name, Image: image });
    try {
      const spec = harness.spec();
      const prepared = await runtime.prepare(spec, PREPARE);
      await expect(runtime.create(spec, 1, prepared)).rejects.toMatchObject({ code: 'name_taken' });
      await expect(runtime.startInstance(foreign.id)).rejects.toThrow('does not belong');
      await expect(runtime.stopInstance(foreign.id, 0)).rejects.toThrow('does not belong');
      await expect(runtime.removeInstance(foreign.id)).rejects.toThrow('does not belong');
      expect(await runtime.inspect(foreign.id)).toBeUndefined();
      expect((await foreign.inspect()).State.Status).toBe('created');
    } finally {
      await foreign.remove({ force: true });
    }
  });

  it('leads route names from inside to the gateway, and makes containers trust the CA', async () => {
    const open = await harness.open({
      hostsOf: () => ['app.example.localhost', '*.wild.example.localhost'],
      trustCa: () => Promise.resolve(CA),
      environment: { REVEILLE_HTTPS_PORT: '8443' },
    });
    const { runtimeId } = await harness.launch(open);
    const gateway = await open.gateway();
    const script = `
      const { address } = await require('dns').promises.lookup('app.example.localhost');
      const pem = require('fs').readFileSync(process.env.NODE_EXTRA_CA_CERTS, 'utf8');
      process.exit(address === '${String(gateway)}' && pem === ${JSON.stringify(CA)} && process.env.REVEILLE_HTTPS_PORT === '8443' ? 0 : 9);`;
    expect(await inside(runtimeId, `(async () => {${script}})()`)).toBe(0);
  });

  it('lets instances find each other by name', async () => {
    await harness.launch(runtime, harness.spec({ name: 'backend' }));
    const { runtimeId } = await harness.launch(runtime, harness.spec({ name: 'client' }));
    const script = `(async () => {
      for (const host of ['backend', 'backend.example.localhost']) {
        const { status } = await fetch('http://' + host + ':3000/ping');
        if (status !== 200) process.exit(9);
      }
      process.exit(0);
    })().catch(() => process.exit(8))`;
    await untilPasses(async () => expect(await inside(runtimeId, script)).toBe(0));
  });

  it('limits what an instance may have', async () => {
    const { runtimeId } = await harness.launch(
      runtime,
      harness.spec({ resources: { cpus: 0.5, memoryBytes: 96 * 1024 * 1024 } }),
    );
    const { HostConfig } = await docker.getContainer(runtimeId).inspect();
    expect(HostConfig).toMatchObject({
      NanoCpus: 5e8,
      Memory: 96 * 1024 * 1024,
      Privileged: false,
      RestartPolicy: { Name: 'no' },
    });
  });

  it('keeps a named volume when the instance goes, and takes it when all goes', async () => {
    const name = `${harness.project}-data`;
    const spec = harness.spec({
      user: 'root',
      volumes: [{ kind: 'volume', source: name, target: '/data', readOnly: false }],
    });
    const first = await harness.launch(runtime, spec);
    await inside(first.runtimeId, `require('fs').writeFileSync('/data/x', 'kept')`);
    await runtime.removeInstance(first.runtimeId);
    const second = await harness.launch(runtime, spec);
    expect(
      await inside(second.runtimeId, `process.exit(require('fs').readFileSync('/data/x', 'utf8') === 'kept' ? 0 : 9)`),
    ).toBe(0);
    const removed = await runtime.removeAll({ volumes: true });
    expect(removed).toMatchObject({ volumes: [name], networks: [`${harness.project}-net`] });
    expect(removed.containers).toHaveLength(1);
  });

  it('reports that an instance ran out of memory', async () => {
    const events = record(runtime);
    const launched = await harness.launch(
      runtime,
      harness.spec({ resources: { cpus: 1, memoryBytes: 96 * 1024 * 1024 } }),
    );
    const { host, port } = launched.endpoints[3000]!;
    await untilPasses(() => fetch(`http://${host}:${port}/ping`));
    await fetch(`http://${host}:${port}/leak?mb=400`)
      .then(
        (response) => response.text(),
        () => undefined,
      )
      .catch(() => undefined);
    await untilPasses(() => expect(events).toContainEqual(expect.objectContaining({ type: 'oom', key: launched.key })));
    const state = async () => (await runtime.inspect(launched.runtimeId))?.exit;
    await untilPasses(async () => expect(await state()).toMatchObject({ oomKilled: true }));
  });

  it('reports what the HEALTHCHECK of the image says', async () => {
    const events = record(runtime);
    const healthy = await fixtureImage({ healthcheck: true });
    const launched = await harness.launch(
      runtime,
      harness.spec({ source: { kind: 'image', image: healthy, pull: 'never' } }),
    );
    expect(launched.healthCommand).toEqual(['node', '/app/server.mjs', '--check']);
    await untilPasses(() => expect(events).toContainEqual(expect.objectContaining({ type: 'health', healthy: true })));
  });

  it('says which executable is missing', async () => {
    // The init process starts all the same: its exit code is the shell's for "no such command", and its words are in the log.
    const { runtimeId } = await harness.launch(runtime, harness.spec({ command: ['/no/such/program'] }));
    await untilPasses(async () => expect((await runtime.inspect(runtimeId))?.exit?.code).toBe(127));
    const lines: string[] = [];
    for await (const { text } of runtime.logs(runtimeId, { tail: 10, follow: false })) lines.push(text);
    expect(lines.join('\n')).toContain('/no/such/program');
  });

  it('refuses a folder that is not there in words that name it', async () => {
    const volumes = [{ kind: 'bind' as const, source: '/no/such/folder', target: '/x', readOnly: true }];
    await expect(harness.launch(runtime, harness.spec({ volumes }))).rejects.toMatchObject({
      code: 'create_failed',
      message: expect.stringContaining('/no/such/folder') as string,
    });
  });

  it('starts again after its network was removed and made anew', async () => {
    const launched = await harness.launch(runtime);
    await runtime.stopInstance(launched.runtimeId, 1_000);
    await docker.getNetwork(`${harness.project}-net`).remove();
    expect((await harness.launch(runtime)).state).toBe('running');
  });

  it('keeps no connection of a log or of readings that nobody reads any more', async () => {
    const relay = new SocketRelay(parseDockerHost(undefined).options.socketPath ?? '');
    await relay.open();
    const relayed = await harness.open({ dockerHost: `unix://${relay.path}` });
    const { runtimeId } = await harness.launch(relayed);
    const before = relay.connections;
    await takeOne(relayed.logs(runtimeId, { tail: 10, follow: true }));
    await takeOne(relayed.usage(runtimeId, new AbortController().signal));
    await untilPasses(() => expect(relay.connections).toBeLessThanOrEqual(before));
    await relayed.close();
    await untilPasses(() => expect(relay.connections).toBe(0));
    await relay.close();
  });

  it('goes on with a followed log after a restart, telling no line twice', async () => {
    const { runtimeId } = await harness.launch(runtime);
    const lines: string[] = [];
    const stop = new AbortController();
    const reading = (async () => {
      for await (const { text } of runtime.logs(runtimeId, { tail: 100, follow: true, signal: stop.signal }))
        lines.push(text);
    })();
    await untilPasses(() => expect(lines).toContain('listening on 3000'));
    await runtime.stopInstance(runtimeId, 2_000);
    await runtime.startInstance(runtimeId);
    await untilPasses(() => expect(lines.filter((line) => line === 'listening on 3000')).toHaveLength(2));
    stop.abort();
    await reading;
    expect(new Set(lines.filter((line) => line.startsWith('fixture starts'))).size).toBe(2);
    expect(lines.filter((line) => line.startsWith('fixture starts'))).toHaveLength(2);
  });

  it('has every line of the latest run, also those that came before the engine called it started', async () => {
    const { runtimeId } = await harness.launch(runtime, harness.spec({ command: ['sh', '-c', 'echo at once'] }));
    for (let run = 1; run <= 6; run += 1) {
      await untilPasses(async () => expect((await runtime.inspect(runtimeId))?.state).toBe('exited'));
      const lines: string[] = [];
      for await (const { text } of runtime.logs(runtimeId, { tail: 50, follow: false, latestRun: true }))
        lines.push(text);
      expect(lines).toEqual(['at once']);
      await runtime.startInstance(runtimeId);
    }
  });

  describe('whose connection breaks', () => {
    let relay: SocketRelay;

    beforeEach(async () => {
      relay = new SocketRelay(parseDockerHost(undefined).options.socketPath ?? '');
      await relay.open();
    });

    afterEach(() => relay.close());

    it('says so, comes back by itself, and tells what happened in between', async () => {
      const relayed = await harness.open({ dockerHost: `unix://${relay.path}` });
      const launched = await harness.launch(relayed);
      const events = record(relayed);
      await relay.cut();
      await untilPasses(() => expect(relayed.condition.up).toBe(false));
      await expect(relayed.list()).rejects.toMatchObject({ code: 'runtime_unavailable' });
      await runtime.stopInstance(launched.runtimeId, 1_000);
      events.length = 0;
      await relay.open();
      await untilPasses(() => expect(events[0]).toEqual({ type: 'condition', condition: { up: true } }));
      const changed = { type: 'changed', key: launched.key, runtimeId: launched.runtimeId };
      await untilPasses(() => expect(events).toContainEqual(changed));
    });

    it('tells to look at everything again when only the events were cut', async () => {
      const relayed = await harness.open({ dockerHost: `unix://${relay.path}` });
      const events = record(relayed);
      relay.drop();
      await untilPasses(() => expect(events).toEqual([{ type: 'condition', condition: { up: true } }]));
    });
  });
});
