import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Delivery } from '../../../src/messaging/delivery.ts';
import type { Message } from '../../../src/messaging/outbox.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';
import { watch } from '../../support/watch.ts';

const event = (payload: string): Message => ({ topic: 'event', payload, retain: false });
const status = (payload: string): Message => ({ topic: 'status', payload, retain: true });

/** Takes so many messages at a time, and says that it has one when the test says so. */
class FakeConnection {
  readonly published: string[] = [];
  readonly #window: number;
  readonly #open: ((refusal: string | undefined) => void)[] = [];

  constructor(window: number) {
    this.#window = window;
  }

  get ready(): boolean {
    return this.#open.length < this.#window;
  }

  publish({ payload }: Message, done: (refusal: string | undefined) => void): void {
    this.published.push(payload);
    this.#open.push(done);
  }

  /** Settles the oldest that is open. */
  settle(refusal?: string): void {
    this.#open.shift()?.(refusal);
  }
}

describe('delivery', () => {
  let taken: string[];
  let lines: string[];
  let clock: FakeClock;
  let delivery: Delivery;
  const send = (...messages: Message[]): void => {
    delivery.send(...messages);
    clock.advance(50);
  };
  beforeEach(() => {
    clock = new FakeClock();
    taken = [];
    lines = [];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    delivery = new Delivery({ log, clock, onTaken: ({ payload }) => void taken.push(payload) });
  });

  it('keeps what is sent without a connection, and sends what is retained first', () => {
    const connection = new FakeConnection(9);
    send(event('1'), event('2'));
    delivery.begin(connection, [status('online')]);
    expect(connection.published).toEqual(['online', '1', '2']);
  });

  it('goes out a moment later, in the order in which it was said', () => {
    const connection = new FakeConnection(9);
    delivery.begin(connection, []);
    delivery.send(event('requested'), status('waking'));
    delivery.send(event('awake'), status('awake'));
    expect(connection.published).toEqual([]);
    clock.advance(50);
    expect(connection.published).toEqual(['requested', 'waking', 'awake', 'awake']);
  });

  it('does not say what others are to say now', () => {
    const connection = new FakeConnection(9);
    delivery.begin(connection, []);
    delivery.send(status('online'), event('1'));
    delivery.forget('status');
    clock.advance(50);
    expect(connection.published).toEqual(['1']);
  });

  it('sends no more than the connection takes at a time, and the rest as it takes them', () => {
    const connection = new FakeConnection(2);
    delivery.begin(connection, []);
    send(event('1'), event('2'), event('3'), event('4'));
    expect(connection.published).toEqual(['1', '2']);
    connection.settle();
    expect(connection.published).toEqual(['1', '2', '3']);
    expect(taken).toEqual(['1']);
  });

  it('sends again on the next connection what the last one did not settle, before what came later', () => {
    const [first, second] = [new FakeConnection(2), new FakeConnection(9)];
    delivery.begin(first, []);
    send(event('1'), event('2'), event('3'));
    first.settle();
    delivery.end();
    send(event('4'));
    delivery.begin(second, [status('online')]);
    expect(second.published).toEqual(['online', '2', '3', '4']);
  });

  it('gives up what the broker refuses, says why, and goes on', () => {
    const connection = new FakeConnection(1);
    delivery.begin(connection, []);
    send(event('1'), event('2'));
    connection.settle('it is not allowed');
    expect(connection.published).toEqual(['1', '2']);
    expect([taken, delivery.dropped]).toEqual([[], 1]);
    expect(lines.join()).toContain('the MQTT broker refused a message: it is not allowed');
  });

  it('is drained when the broker has all of it, or the connection is over', async () => {
    await delivery.drained();
    const connection = new FakeConnection(1);
    delivery.begin(connection, []);
    send(event('1'), event('2'));
    const drained = watch(delivery.drained());
    connection.settle();
    await settle();
    expect(drained.settled).toBe(false);
    connection.settle();
    await settle();
    expect(drained.settled).toBe(true);

    send(event('3'));
    const over = delivery.drained();
    delivery.end();
    await over;
  });
});
