import { once } from 'node:events';
import { stat } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { encodeFrame } from '../../src/link/frames.ts';
import { PROTOCOL } from '../../src/link/messages.ts';
import { fleetSpec, startFleet, watch, type FleetHarness } from '../support/set-ups/fleet.ts';
import { LinkedFleet } from '../support/set-ups/linked-fleet.ts';
import { until } from '../support/until.ts';

const SPECS = [fleetSpec('web'), fleetSpec('api')];

describe('the link between processes', () => {
  let harness: FleetHarness;
  let link: LinkedFleet;
  beforeEach(async () => {
    harness = await startFleet(...SPECS);
    // The data half of the harness is one more that would have to let go.
    harness.data.leave();
    link = await LinkedFleet.make();
    await link.serve(harness);
  });
  afterEach(() => link.dispose());

  const inFlight = (count: number): Promise<unknown> => until(() => harness.fleet.inFlight('web') === count);

  it('is a socket for its owner alone', async () => {
    expect((await stat(link.path)).mode & 0o777).toBe(0o600);
  });

  it('brings the whole fleet first, then each change, and has shown an instance before it says that it woke', async () => {
    const { client, data } = await link.join();
    expect(data.view('web').status).toBe('asleep');
    expect(data.view('api')).toEqual(harness.fleet.member('api')?.view());

    const offered = await client.wake('web').then(() => data.offered('web'));

    expect(offered).toEqual(['web-1']);
    await until(() => data.view('web').status === 'awake');
    expect(data.updates.map(({ complete }) => complete)).toEqual([
      true,
      ...Array<boolean>(data.updates.length - 1).fill(false),
    ]);
  });

  it('wakes a service once however many ask in however many processes', async () => {
    const far = await Promise.all([link.join(), link.join(), link.join()]);
    await Promise.all(far.flatMap(({ client }) => [client.wake('web'), client.wake('web')]));
    expect(harness.runtime.count('start', 'web-1')).toBe(1);
    for (const { data } of far) await until(() => data.offered('web').length === 1);
  });

  it('says why a wake failed, with all there is to know', async () => {
    const { client } = await link.join();
    await expect(client.wake('nobody')).rejects.toMatchObject({
      service: 'nobody',
      failure: { code: 'unknown_service', detail: 'nobody is not in the manifest', logTail: [] },
    });
  });

  it('sums what is in flight, and takes away what a process had that is gone', async () => {
    const [one, two] = [await link.join(), await link.join()];
    await one.client.wake('web');
    await until(() => two.data.offered('web').length === 1);
    one.data.request('web');
    const end = two.data.request('web');
    two.data.request('web');
    await inFlight(3);
    one.client.close();
    await inFlight(2);
    end();
    await inFlight(1);
  });

  it('stops an instance only when every process has let go of it', async () => {
    const [one, two] = [await link.join(), await link.join()];
    await one.client.wake('web');
    await until(() => two.data.offered('web').length === 1);
    const end = two.data.request('web');
    await inFlight(1);

    const asleep = watch(harness.service('web').sleep('operator', 'stop'));
    await until(() => one.data.offered('web').length + two.data.offered('web').length === 0);
    expect(harness.states('web')).toEqual(['draining']);
    end();

    await until(() => asleep.settled);
    expect(harness.states('web')).toEqual(['stopped']);
  });

  it('carries suspicions, and tells the others what one learns', async () => {
    const [one, two] = [await link.join(), await link.join()];
    await one.client.wake('web');
    await one.client.suspect('web', 'web-1');
    expect(harness.runtime.count('inspect', 'web-1')).toBeGreaterThan(0);

    const news = vi.fn();
    two.client.onPeerNews(news);
    one.client.reportVerdict({ service: 'web', instanceId: 'web-1', verdict: 'failed' });
    one.client.reportWaiting({ service: 'web', waiting: 7 });
    one.client.reportBreaker({ service: 'web', instanceId: 'web-1', open: true });

    await until(() => news.mock.calls.length === 2);
    expect(news.mock.calls).toEqual([
      [{ kind: 'verdict', service: 'web', instanceId: 'web-1', verdict: 'failed' }],
      [{ kind: 'waiting', service: 'web', waiting: 7 }],
    ]);
    await until(() => harness.eventTypes('web').includes('breaker.opened'));
  });

  it('tells both sides what they should know besides', async () => {
    link.facts.notice = 'no engine';
    const { client, facts } = await link.join();
    expect(facts).toEqual([{ notice: 'no engine' }]);
    link.facts.gateway = '172.18.0.1';
    link.server.tellFacts();
    await until(() => facts.length === 2);
    expect(facts[1]).toEqual({ notice: 'no engine', gateway: '172.18.0.1' });

    client.listening(8443);
    await until(() => link.server.httpsPort === 8443);
    expect(link.server.connected).toBe(1);
  });

  it('catches up with everything at once when a process was too slow to read the changes', async () => {
    const far = await link.join();
    await harness.fleet.wake('web');
    const slow = await peer();
    slow.write(encodeFrame({ type: 'hello', protocol: PROTOCOL, pid: 1 }));
    await once(slow, 'readable');
    for (let n = 0; n < 20_000; n += 1) harness.service('web').changed();
    await until(() => far.data.updates.length > 1);
    await until(() => far.data.view('web').status === 'awake');

    let bytes = 0;
    slow.on('data', (piece: Buffer) => (bytes += piece.length));
    await until(() => bytes > 0);
    await until(() => far.data.updates.at(-1)?.complete !== undefined);
    // What piles up for it is bounded: most of the changes were never sent.
    expect(bytes).toBeLessThan(4_000_000);
    slow.destroy();
  });

  describe('whose control process goes away', () => {
    it('keeps what is known, and counts anew for the next one', async () => {
      const { client, data } = await link.join();
      await client.wake('web');
      data.request('web');
      await inFlight(1);
      await link.hangUp();
      await until(() => client.away);
      expect(data.offered('web')).toEqual(['web-1']);
      data.request('web');

      await link.serve(harness);
      await until(() => !client.away);
      await inFlight(2);
      expect(data.updates.at(-1)?.complete).toBe(true);
    });

    it('lets a wake wait for the next one, which is asked instead, and says how long that took', async () => {
      const { client } = await link.join();
      await link.hangUp();
      await until(() => client.away);
      const wake = client.wake('web');
      await expect(client.suspect('web', 'web-1')).resolves.toBeUndefined();

      await link.serve(harness);
      expect((await wake).controlMs).toBeGreaterThan(0);
      expect(harness.states('web')).toEqual(['ready']);
    });

    it('stops nothing before those who may still use it had the time to come back', async () => {
      const { client } = await link.join();
      await client.wake('web');
      client.close();
      await link.hangUp();
      await link.serve(harness);
      const asleep = watch(harness.service('web').sleep('operator', 'stop'));
      await new Promise((resolve) => setImmediate(resolve));
      expect(harness.states('web')).toEqual(['draining']);
      await until(() => asleep.settled);
    });

    it('names what the next one no longer has', async () => {
      const { client, data } = await link.join();
      await link.hangUp();
      const next = await startFleet(fleetSpec('web'));
      await link.serve(next);
      await until(() => !client.away && !data.knows('api'));
      expect(data.updates.at(-1)).toMatchObject({ complete: true, removed: ['api'] });
    });

    it('waits for the first one, however late it comes', async () => {
      await link.hangUp();
      const { client, started } = link.newClient();
      const begun = watch(started);
      await until(() => link.logged.some((line) => line.includes('waiting for a control process')));
      expect(begun.settled).toBe(false);
      await link.serve(harness);
      await started;
      expect(client.away).toBe(false);
    });
  });

  describe('against peers that are broken or hostile', () => {
    const hello = encodeFrame({ type: 'hello', protocol: PROTOCOL, pid: 1 });
    const longAnnouncement = Buffer.from([0x7f, 0xff, 0xff, 0xff]);
    const bad: readonly (readonly [string, Buffer[]])[] = [
      ['announces a message without an end', [longAnnouncement]],
      ['speaks HTTP', [Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')]],
      ['sends what is not JSON', [Buffer.from([0, 0, 0, 1, 0x7b])]],
      ['does not say who it is', [encodeFrame({ type: 'wake', id: 1, service: 'web' })]],
      ['says it twice', [hello, hello]],
      ['speaks another version', [encodeFrame({ type: 'hello', protocol: PROTOCOL + 1, pid: 1 })]],
      ['uses a word that there is not', [hello, encodeFrame({ type: 'stop', service: 'web' })]],
      ['adds a field that there is not', [hello, encodeFrame({ type: 'seen', version: 1, more: true })]],
      ['counts below zero', [hello, encodeFrame({ type: 'waiting', service: 'web', waiting: -1 })]],
      ['names a service without an end', [hello, encodeFrame({ type: 'wake', id: 1, service: 'w'.repeat(1_000) })]],
      ['sends a prototype', [hello, encodeFrame({ type: 'waiting', service: { __proto__: null }, waiting: 1 })]],
    ];

    it.each(bad)('hangs up on one that %s, and on nobody else', async (_, frames) => {
      const good = await link.join();
      const socket = await peer();
      const closed = once(socket, 'close');
      for (const frame of frames) socket.write(frame);
      socket.resume();
      await closed;
      await good.client.wake('web');
      expect(link.server.connected).toBe(1);
      expect(harness.fleet.inFlight('web')).toBe(0);
    });

    it('takes with one that is cut off in the middle of a message all that it had reported', async () => {
      const socket = await peer();
      const report = { service: 'web', instanceId: 'web-1', inFlight: 5, seenVersion: 0 };
      socket.write(hello);
      socket.write(encodeFrame({ type: 'activity', reports: [report] }));
      await inFlight(5);
      socket.write(hello.subarray(0, 7));
      socket.destroy();
      await inFlight(0);
    });

    it('goes on when one leaves with a wake under way', async () => {
      const socket = await peer();
      harness.prober.refuse('web');
      socket.write(hello);
      socket.write(encodeFrame({ type: 'wake', id: 1, service: 'web' }));
      await until(() => harness.states('web')[0] === 'probing');
      socket.destroy();
      await until(() => link.server.connected === 0);
      expect((await link.join()).data.view('web').status).toBe('waking');
    });
  });

  async function peer(): Promise<Socket> {
    const socket = connect({ path: link.path });
    socket.on('error', () => undefined);
    await once(socket, 'connect');
    return socket;
  }
});

describe('a data half at a socket', () => {
  it.each([
    ['speaks another language', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['announces a message without an end', Buffer.from([0xff, 0xff, 0xff, 0xff])],
    ['tells of the fleet in the middle', encodeFrame(update(false))],
    ['tells nonsense of the fleet', encodeFrame({ type: 'update', update: { version: 1, services: 'all' } })],
    ['refuses it', encodeFrame({ type: 'refused', reason: 'too old' })],
  ])('hangs up on one that %s, and waits for a better one', async (_, answer) => {
    const link = await LinkedFleet.make();
    const { createServer } = await import('node:net');
    const wrong = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.resume();
      socket.write(answer);
    });
    await new Promise<void>((resolve) => wrong.listen(link.path, resolve));
    try {
      const { started, client } = link.newClient();
      await until(() => link.logged.some((line) => line.includes('cannot be used')));
      expect(client.away).toBe(true);
      await new Promise((resolve) => wrong.close(resolve));
      await link.serve(await startFleet(...SPECS));
      await started;
    } finally {
      await link.dispose();
    }
  });

  function update(complete: boolean): unknown {
    return { type: 'update', update: { version: 1, complete, services: [], removed: [] } };
  }
});
