import { setMaxListeners } from 'node:events';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventRecord } from '../../src/fleet/state-store.ts';
import { CodedError } from '../../src/lib/coded-error.ts';
import type { EventAnswer, LogAnswer, ProblemAnswer } from '../../src/management/contract.ts';
import { TestManagement } from '../support/set-ups/management.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { SseReader } from '../support/clients/sse-reader.ts';
import { SPARING, until } from '../support/until.ts';

let management: TestManagement;
let leave: AbortController;

beforeEach(async () => {
  leave = new AbortController();
  setMaxListeners(0, leave.signal);
  management = await TestManagement.start([
    serviceSpec({ name: 'web', scale: { min: 0, max: 2, cooldownMs: 1 } }),
    serviceSpec({ name: 'api' }),
  ]);
});
afterEach(async () => {
  leave.abort();
  await management.close();
});

async function read(path: string, headers: Record<string, string> = {}): Promise<SseReader> {
  const response = await management.open(path, { headers }, leave.signal);
  expect(response.headers['content-type']).toBe('text/event-stream; charset=utf-8');
  return new SseReader(response);
}

describe('GET /api/events', () => {
  it('tells each event once it happens', async () => {
    const events = await read('/api/events');
    management.bus.emit('service.awake', 'web', { totalMs: 12 });
    await events.until(1);
    expect(events.data<EventAnswer>()[0]).toMatchObject({
      type: 'service.awake',
      service: 'web',
      data: { totalMs: 12 },
    });
    expect(events.messages[0]?.id).toBe(events.data<EventAnswer>()[0]?.id);
  });

  it('begins with its head, before anything happens', async () => {
    const events = await read('/api/events');
    await until(() => events.text.startsWith('retry:'));
    expect(events.messages).toEqual([]);
  });

  it('goes on after the last event that was seen', async () => {
    for (const n of [1, 2, 3]) management.bus.emit('scale.up', 'web', { n });
    const before = await read('/api/events?tail=3&follow=false');
    await before.until(3);
    const events = await read('/api/events', { 'last-event-id': before.messages[0]?.id ?? '' });
    management.bus.emit('scale.up', 'web', { n: 4 });
    await events.until(3);
    expect(events.data<EventAnswer>().map(({ data }) => data['n'])).toEqual([2, 3, 4]);
  });

  it('tells all that it knows to who comes from another life of the daemon', async () => {
    management.bus.emit('scale.up', 'web', { n: 1 });
    const events = await read('/api/events', { 'last-event-id': 'deadbeef-000000007' });
    await events.until(1);
    expect(events.data<EventAnswer>()[0]?.data).toEqual({ n: 1 });
  });

  it('keeps the last 1000 events', async () => {
    for (let n = 0; n < 2_500; n += 1) management.bus.emit('scale.up', 'web', { n });
    const events = await read('/api/events?tail=1000&follow=false');
    await until(() => events.ended);
    const seen = events.data<EventAnswer>().map(({ data }) => data['n']);
    expect([seen.length, seen[0], seen.at(-1)]).toEqual([1_000, 1_500, 2_499]);
  });

  const minuteAgo = Date.now() - 60_000;
  const instant = (n: number): string => new Date(minuteAgo + n).toISOString();
  const record = (n: number, service: string, subject: string): EventRecord => {
    const [id, at] = [`earlier-${n}`, instant(n)];
    const cloudEvent = { specversion: '1.0', id, source: 'reveille/test', type: 'instance.ready', time: at };
    return { _id: `reveille/test#${id}`, ...{ service, subject, at, data: { n } }, ...cloudEvent };
  };
  const told = (events: SseReader): unknown[] => events.data<EventAnswer>().map(({ data }) => data['n']);

  it('begins with what the store keeps since an instant, and goes on', async () => {
    await management.store.saveEvents([
      record(1, 'web', 'web/web-1'),
      record(2, 'web', 'web/web-1'),
      record(3, 'api', 'api'),
    ]);
    management.bus.emit('scale.up', 'web', { n: 4 });
    const events = await read(`/api/events?since=${instant(2)}`);
    management.bus.emit('scale.up', 'web', { n: 5 });
    await events.until(4);
    const [first, second] = events.data<EventAnswer>();
    expect(told(events)).toEqual([2, 3, 4, 5]);
    expect(first).toMatchObject({ id: 'earlier-2', type: 'instance.ready', service: 'web', instance: 'web-1' });
    expect(second).not.toHaveProperty('instance');
  });

  it('keeps what the store has of one service, however much happened to the others', async () => {
    await management.store.saveEvents([record(1, 'api', 'api')]);
    for (let n = 2; n < 1_100; n += 1) management.bus.emit('scale.up', 'web', { n });
    const events = await read(`/api/events?since=${instant(0)}&service=api&follow=false`);
    await until(() => events.ended);
    expect(told(events)).toEqual([1]);
  });

  it('goes on after the last event that was seen, also where only the store has it', async () => {
    await management.store.saveEvents([1, 2, 3].map((n) => record(n, 'web', 'web')));
    const path = `/api/events?since=${instant(0)}&follow=false`;
    const events = await read(path, { 'last-event-id': 'earlier-2' });
    await until(() => events.ended);
    expect(told(events)).toEqual([3]);
  });

  it('says that the store is away when what it keeps was asked for', async () => {
    const outage = new CodedError('store_unavailable', 'MongoDB cannot be used: no primary');
    management.store.failure = outage;
    const refused = await management.ask(`/api/events?since=${instant(0)}`);
    const { code, detail } = refused.json<ProblemAnswer>();
    expect([refused.status, code, detail]).toEqual([503, outage.code, outage.message]);
  });

  it('tells what has been to the end, however much it is, and what happens meanwhile after it', async () => {
    const filler = 'x'.repeat(10_000);
    for (let n = 0; n < 500; n += 1) management.bus.emit('scale.up', 'web', { n, filler });
    const events = await read('/api/events?tail=500');
    management.bus.emit('scale.up', 'web', { n: 500 });
    await events.until(501);
    expect(told(events)).toEqual(Array.from({ length: 501 }, (_, n) => n));
  });

  it('begins with so many of the last since an instant when both are asked for', async () => {
    await management.store.saveEvents([1, 2, 3].map((n) => record(n, 'web', 'web')));
    const events = await read(`/api/events?since=${instant(0)}&tail=2&follow=false`);
    await until(() => events.ended);
    expect(told(events)).toEqual([2, 3]);
  });

  it('begins with so many of the last of one service, whatever happened to the others since', async () => {
    management.bus.emit('scale.up', 'api', { n: 1 });
    management.bus.emit('scale.up', 'web', { n: 2 });
    const events = await read('/api/events?service=api&tail=1&follow=false');
    await until(() => events.ended);
    expect(told(events)).toEqual([1]);
  });

  it('says which instant it did not understand', async () => {
    const refused = await management.ask('/api/events?since=yesterday');
    expect(refused.status).toBe(400);
    expect(refused.json<ProblemAnswer>().detail).toContain('since: must be a time such as');
  });

  it('tells of one service alone when asked to', async () => {
    const events = await read('/api/events?service=api');
    management.bus.emit('scale.up', 'web');
    management.bus.emit('scale.up', 'api');
    await events.until(1);
    expect(events.data<EventAnswer>().map(({ service }) => service)).toEqual(['api']);
  });

  it('cuts off who does not read, and hurts nobody else', async () => {
    const response = await management.open('/api/events', {}, leave.signal);
    const filler = 'x'.repeat(100_000);
    const others = await read('/api/events');
    for (let n = 0; n < 60; n += 1) {
      management.bus.emit('scale.up', 'web', { n, filler });
      await others.until(n + 1);
    }
    await until(() => {
      response.resume();
      return response.closed;
    });
    expect(others.messages).toHaveLength(60);
  });

  it('ends with the server', async () => {
    const events = await read('/api/events');
    await management.server.close();
    await until(() => events.ended);
  });

  it('has no more than so many listeners', async () => {
    await Promise.all(Array.from({ length: 100 }, () => management.open('/api/events', {}, leave.signal)));
    // Somebody else, who has a hundred requests of their own.
    const headers = await management.login();
    const refused = await management.ask('/api/events', { headers });
    expect([refused.status, refused.json<ProblemAnswer>().code]).toEqual([503, 'too_many_streams']);
    leave.abort();
    await until(async () => {
      const response = await management.open('/api/events?follow=false', { headers });
      response.resume();
      return response.statusCode === 200;
    }, SPARING);
  });
});

describe('HEAD', () => {
  it.each(['/api/events?follow=false', '/api/services/web/logs'])(
    'of %s is answered like GET, and ends',
    async (path) => {
      const { status, headers, text } = await management.ask(path, { method: 'HEAD' });
      expect([status, text]).toEqual([200, '']);
      expect(headers).toMatchObject({ 'content-type': 'text/event-stream; charset=utf-8' });
      expect(headers).not.toHaveProperty('content-length');
    },
  );

  it.each([
    ['/api/events?tail=x', 400],
    ['/api/services/wep/logs', 404],
  ])('of %s is refused like GET with %i', async (path, status) => {
    expect((await management.ask(path, { method: 'HEAD' })).status).toBe(status);
  });
});

describe('GET /api/services/:name/logs', () => {
  it('tells what each instance wrote, in the order of time', async () => {
    await management.post('/api/services/web/scale', { replicas: 2 });
    await until(() => management.fleet.member('web')?.instanceViews.every(({ state }) => state === 'ready'));
    management.runtime.write('web-1', 'one');
    management.runtime.write('web-2', 'two', 'stderr');
    const logs = await read('/api/services/web/logs?follow=false');
    await until(() => logs.ended);
    const lines = logs.data<LogAnswer>();
    expect(lines.find(({ text }) => text === 'one')).toMatchObject({ instance: 'web-1', stream: 'stdout' });
    expect(lines.find(({ text }) => text === 'two')).toMatchObject({ instance: 'web-2', stream: 'stderr' });
  });

  it('goes on with new lines, also of instances that come later', async () => {
    await management.post('/api/services/web/wake');
    const logs = await read('/api/services/web/logs?tail=0');
    await until(() => {
      management.runtime.write('web-1', 'tick');
      return logs.data<LogAnswer>().some(({ text }) => text === 'tick');
    });
    await management.post('/api/services/web/scale', { replicas: 2 });
    await until(() => management.fleet.member('web')?.instanceViews.every(({ state }) => state === 'ready'));
    management.runtime.write('web-2', 'late');
    await until(() => logs.data<LogAnswer>().some(({ instance, text }) => instance === 'web-2' && text === 'late'));
  });

  it('goes on where it was left off', async () => {
    await management.post('/api/services/web/wake');
    management.runtime.write('web-1', 'first');
    const before = await read('/api/services/web/logs?follow=false');
    await until(() => before.ended);
    const last = before.messages.at(-1);
    await until(() => Date.now() > Number(last?.id));
    management.runtime.write('web-1', 'second');
    const after = await read('/api/services/web/logs?follow=false', { 'last-event-id': last?.id ?? '' });
    await until(() => after.ended);
    expect(after.data<LogAnswer>().map(({ text }) => text)).toEqual(['second']);
  });

  it('lets go of the runtime when the client leaves', async () => {
    await management.post('/api/services/web/wake');
    const logs = await read('/api/services/web/logs');
    leave.abort();
    await until(() => logs.ended);
    await management.server.close();
  });

  it('is 404 for a service that does not exist', async () => {
    expect((await management.ask('/api/services/wep/logs')).status).toBe(404);
  });
});
