import { describe, expect, it } from 'vitest';
import { Outbox, type Message } from '../../../src/messaging/outbox.ts';

const limits = { messages: 3, size: 100, tries: 2 };

function event(payload: string): Message {
  return { topic: 'event', payload, retain: false };
}

function status(topic: string, payload: string): Message {
  return { topic, payload, retain: true };
}

function takeAll(outbox: Outbox): string[] {
  const taken: string[] = [];
  for (let next = outbox.take(); next; next = outbox.take()) taken.push(next.payload);
  return taken;
}

describe('outbox', () => {
  it('sends retained messages first, only the latest of each topic', () => {
    const outbox = new Outbox(limits);
    outbox.put(event('e1'));
    for (const message of [status('a', 'a1'), status('b', 'b1'), status('a', 'a2')]) outbox.put(message);
    expect(takeAll(outbox)).toEqual(['a2', 'b1', 'e1']);
    expect(outbox.dropped).toBe(0);
  });

  it('drops the oldest events above its number and counts them, and no retained message', () => {
    const outbox = new Outbox(limits);
    for (let n = 0; n < 10; n += 1) outbox.put(status(`s${n}`, `s${n}`));
    for (const payload of ['1', '2', '3', '4', '5']) outbox.put(event(payload));
    expect(outbox.dropped).toBe(2);
    expect(takeAll(outbox).slice(-4)).toEqual(['s9', '3', '4', '5']);
  });

  it('drops the oldest events above its size, and one that is too large by itself', () => {
    const outbox = new Outbox(limits);
    outbox.put(event('x'.repeat(60)));
    outbox.put(event('y'.repeat(60)));
    expect(outbox.dropped).toBe(1);
    outbox.put(event('z'.repeat(101)));
    expect(outbox.dropped).toBe(3);
    expect(outbox.take()).toBeUndefined();
  });

  it('gives room again for what was taken', () => {
    const outbox = new Outbox(limits);
    for (let n = 0; n < 50; n += 1) {
      outbox.put(event('x'.repeat(90)));
      expect(outbox.take()).toBeDefined();
    }
    expect(outbox.dropped).toBe(0);
  });

  it('puts what comes back before what came later, in order, and leaves retained messages out', () => {
    const outbox = new Outbox(limits);
    for (const payload of ['1', '2']) outbox.put(event(payload));
    outbox.put(status('a', 'a1'));
    const taken = [outbox.take()!, outbox.take()!, outbox.take()!];
    outbox.put(event('3'));
    outbox.giveBack(taken);
    expect(takeAll(outbox)).toEqual(['1', '2', '3']);
  });

  it('stays within its limits when messages come back', () => {
    const outbox = new Outbox(limits);
    for (const payload of ['1', '2', '3']) outbox.put(event(payload));
    const taken = [outbox.take()!, outbox.take()!];
    for (const payload of ['4', '5']) outbox.put(event(payload));
    outbox.giveBack(taken);
    expect(takeAll(outbox)).toEqual(['3', '4', '5']);
    expect(outbox.dropped).toBe(2);
  });

  it('gives a message up that keeps coming back', () => {
    const outbox = new Outbox(limits);
    outbox.put(event('poison'));
    outbox.giveBack([outbox.take()!]);
    expect(outbox.dropped).toBe(0);
    outbox.giveBack([outbox.take()!]);
    expect(outbox.dropped).toBe(1);
    expect(outbox.take()).toBeUndefined();
  });
});
