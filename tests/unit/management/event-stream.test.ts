import { describe, expect, it } from 'vitest';
import { EventStream } from '../../../src/management/event-stream.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

function text(stream: EventStream): string {
  const chunk = stream.body.read() as Buffer | null;
  return chunk?.toString() ?? '';
}

describe('EventStream', () => {
  it('gives a sign of life every 15 seconds', () => {
    const clock = new FakeClock();
    const stream = new EventStream({ clock, stillAllowed: () => true });
    stream.start();
    text(stream);
    clock.advance(14_999);
    expect(text(stream)).toBe('');
    clock.advance(1);
    expect(text(stream)).toBe(':\n\n');
    stream.end();
    expect(clock.pendingCount).toBe(0);
  });

  it('ends for who is allowed no more', () => {
    const clock = new FakeClock();
    let allowed = true;
    const stream = new EventStream({ clock, stillAllowed: () => allowed });
    stream.start();
    clock.advance(15_000);
    expect(stream.signal.aborted).toBe(false);
    allowed = false;
    clock.advance(15_000);
    expect(stream.signal.aborted).toBe(true);
  });

  it('makes who sends wait for who reads', async () => {
    const stream = new EventStream({ clock: new FakeClock(), stillAllowed: () => true });
    const data = 'x'.repeat(100_000);
    let sent = false;
    const sending = stream.send({ id: '1', data }).then(() => (sent = true));
    await new Promise(setImmediate);
    expect(sent).toBe(false);
    stream.body.resume();
    await sending;
  });

  it('cuts off who is a megabyte behind', () => {
    const stream = new EventStream({ clock: new FakeClock(), stillAllowed: () => true });
    for (let n = 0; n < 12; n += 1) stream.offer({ id: String(n), data: 'x'.repeat(100_000) });
    expect(stream.body.destroyed).toBe(true);
  });

  it('keeps line breaks inside the message', () => {
    const stream = new EventStream({ clock: new FakeClock(), stillAllowed: () => true });
    stream.offer({ id: '1', data: { text: 'a\n\nid: 2\r\n' } });
    expect(text(stream)).toBe('id: 1\ndata: {"text":"a\\n\\nid: 2\\r\\n"}\n\n');
    stream.end();
  });
});
