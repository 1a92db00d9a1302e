import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { deferred } from '../../../src/lib/deferred.ts';
import { type Part, Parts } from '../../../src/lib/parts.ts';
import { settle } from '../../support/fakes/fake-clock.ts';

describe('Parts', () => {
  let lines: string[];
  let parts: Parts;
  let ended: string[];
  beforeEach(() => {
    lines = [];
    ended = [];
    parts = new Parts(pino({}, { write: (line) => void lines.push(line) }));
  });

  function add(name: string, end: () => Promise<void> = () => Promise.resolve()): void {
    parts.add(name, async () => {
      await end();
      ended.push(name);
    });
  }

  it('ends what was started in the reverse order, one after the other', async () => {
    const waiting = deferred<undefined>();
    add('store');
    add('fleet', () => waiting.promise);
    add('listener');
    const closed = parts.close();
    await settle();
    expect(ended).toEqual(['listener']);
    waiting.resolve(undefined);
    await closed;
    expect(ended).toEqual(['listener', 'fleet', 'store']);
  });

  it('ends the others although one fails, and says which did', async () => {
    add('store');
    add('fleet', () => Promise.reject(new Error('still busy')));
    parts.add('listener', () => {
      throw new Error('at once');
    });
    await parts.close();
    expect(ended).toEqual(['store']);
    expect(lines.map((line) => (JSON.parse(line) as { msg: string }).msg)).toEqual([
      'listener did not end in order: at once',
      'fleet did not end in order: still busy',
    ]);
  });

  it('ends what was started when one does not start, and that one as well', async () => {
    const part = (name: string, start: () => Promise<void>): Part => ({ start, close: () => ended.push(name) });
    const started = parts.startAll(async () => {
      await parts.start(
        'store',
        part('store', () => Promise.resolve()),
      );
      await parts.start(
        'listener',
        part('listener', () => Promise.reject(new Error('the port is taken'))),
      );
      await parts.start(
        'watcher',
        part('watcher', () => Promise.resolve()),
      );
    });
    await expect(started).rejects.toThrow('the port is taken');
    expect(ended).toEqual(['listener', 'store']);
  });

  it('ends everything once, however often it is told to', async () => {
    add('store');
    await Promise.all([parts.close(), parts.close()]);
    await parts.close();
    expect(ended).toEqual(['store']);
  });
});
