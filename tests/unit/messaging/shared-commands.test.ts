import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { SharedCommands } from '../../../src/messaging/shared-commands.ts';
import { Speaker } from '../../../src/messaging/speaker.ts';
import { Topics } from '../../../src/messaging/topics.ts';
import { FakeBroker, FakeMqtt } from '../../support/fakes/fake-broker.ts';
import { FakeClock, settle } from '../../support/fakes/fake-clock.ts';

describe('commands that several daemons hear', () => {
  const topics = new Topics('r');
  const log = pino({ level: 'silent' });
  let clock: FakeClock;
  let broker: FakeBroker;
  /** What was carried out, by whom; and what was only answered, for it was late. */
  let done: string[];
  /** Those that never come to an end with what they have begun. */
  let stuck: Set<string>;

  beforeEach(() => {
    clock = new FakeClock();
    broker = new FakeBroker();
    done = [];
    stuck = new Set();
  });

  interface Peer {
    readonly mqtt: FakeMqtt;
    readonly speaker: Speaker;
    readonly commands: SharedCommands;
  }

  function connected(proxyId: string): Peer {
    const mqtt = new FakeMqtt(broker, proxyId);
    const shared = { mqtt, topics, project: 'house', clock };
    const speaker = new Speaker({ ...shared, proxyId, inCharge: () => false, log });
    const commands = new SharedCommands({ ...shared, speaker }, ({ topic }, late) => {
      done.push(`${proxyId}: ${topic}${late ? ' late' : ''}`);
      return stuck.has(proxyId) ? new Promise<void>(() => undefined) : Promise.resolve();
    });
    speaker.start();
    commands.start();
    mqtt.subscribe({ filter: topics.commands, retained: false }, (message) => commands.hear(message));
    speaker.ready();
    mqtt.connect();
    broker.settle();
    return { mqtt, speaker, commands };
  }

  async function settled(): Promise<void> {
    broker.settle();
    await settle();
    broker.settle();
  }

  const say = (what: string): void => broker.publish({ topic: `r/web/command/${what}`, payload: '', retain: false });

  it('are carried out by the one that speaks, as often as they were said', async () => {
    connected('one');
    connected('two');
    for (const each of ['wake', 'sleep', 'wake']) say(each);
    await settled();
    expect(done).toEqual(['one: r/web/command/wake', 'one: r/web/command/sleep', 'one: r/web/command/wake']);
  });

  it('are carried out by the next one, in order, when the one that spoke had gone and nobody knew', async () => {
    const one = connected('one');
    connected('two');
    one.mqtt.cut(false);
    say('wake');
    say('scale');
    broker.settle();
    expect(done).toEqual([]);
    await clock.advanceAsync(5_000);
    broker.publish({ topic: 'r/proxy/one/status', payload: 'offline', retain: true });
    await settled();
    expect(done).toEqual(['two: r/web/command/wake', 'two: r/web/command/scale']);
  });

  it('are carried out by the next one when the one that spoke went in the middle, and not when it was done', async () => {
    const one = connected('one');
    connected('two');
    say('wake');
    await settled();
    stuck.add('one');
    say('sleep');
    await settled();
    one.mqtt.cut(true);
    await settled();
    expect(done).toEqual(['one: r/web/command/wake', 'one: r/web/command/sleep', 'two: r/web/command/sleep']);
  });

  it('are only answered by the next one when they were said too long ago', async () => {
    const one = connected('one');
    connected('two');
    one.mqtt.cut(false);
    say('wake');
    broker.settle();
    await clock.advanceAsync(20_000);
    broker.publish({ topic: 'r/proxy/one/status', payload: 'offline', retain: true });
    await settled();
    expect(done).toEqual(['two: r/web/command/wake late']);
  });

  it('stay with who began them when another speaks and it is still there', async () => {
    stuck.add('one');
    connected('one');
    const two = connected('two');
    say('wake');
    await settled();
    broker.publish({ topic: 'r/proxy/speaker/house', payload: '{"proxyId":"two","term":9}', retain: true });
    await settled();
    expect(two.speaker.speaks).toBe(true);
    say('sleep');
    await settled();
    expect(done).toEqual(['one: r/web/command/wake', 'two: r/web/command/sleep']);
  });

  it('wait for somebody who speaks when nobody does yet', async () => {
    broker.retained.set('r/proxy/speaker/house', '{"proxyId":"gone","term":3}');
    broker.retained.set('r/proxy/gone/status', 'online');
    connected('two');
    say('wake');
    await settled();
    expect(done).toEqual([]);
    broker.publish({ topic: 'r/proxy/gone/status', payload: 'offline', retain: true });
    await settled();
    expect(done).toEqual(['two: r/web/command/wake']);
  });

  it('are forgotten with the connection: what became of them cannot be known', async () => {
    connected('one');
    const two = connected('two');
    stuck.add('one');
    say('wake');
    await settled();
    two.mqtt.cut(true);
    broker.publish({ topic: 'r/proxy/one/status', payload: 'offline', retain: true });
    two.mqtt.connect();
    await settled();
    expect(two.speaker.speaks).toBe(true);
    expect(done).toEqual(['one: r/web/command/wake']);
  });
});
