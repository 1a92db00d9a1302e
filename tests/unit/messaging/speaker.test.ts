import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import { Speaker } from '../../../src/messaging/speaker.ts';
import { Topics } from '../../../src/messaging/topics.ts';
import { FakeBroker, FakeMqtt } from '../../support/fakes/fake-broker.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';

const CLAIM = 'r/proxy/speaker/house';

describe('who speaks for several daemons on one broker', () => {
  let clock: FakeClock;
  let broker: FakeBroker;
  let lines: string[];
  let leader: string | undefined;

  beforeEach(() => {
    clock = new FakeClock();
    broker = new FakeBroker();
    lines = [];
    leader = undefined;
  });

  interface Peer {
    readonly mqtt: FakeMqtt;
    readonly speaker: Speaker;
  }

  function daemon(proxyId: string, project = 'house'): Peer {
    const mqtt = new FakeMqtt(broker, proxyId);
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const inCharge = (orNobody: boolean): boolean => leader === proxyId || (orNobody && leader === undefined);
    const speaker = new Speaker({ mqtt, topics: new Topics('r'), project, proxyId, inCharge, clock, log });
    speaker.start();
    speaker.ready();
    return { mqtt, speaker };
  }

  function connected(...ids: string[]): Peer[] {
    const peers = ids.map((id) => daemon(id));
    for (const { mqtt } of peers) mqtt.connect();
    broker.settle();
    return peers;
  }

  const speaking = (peers: readonly Peer[]): string[] =>
    peers.filter(({ speaker }) => speaker.speaks).map(({ mqtt }) => mqtt.proxyId);
  const retained = (): unknown => JSON.parse(broker.retained.get(CLAIM) ?? 'null');

  it('is the one that is there', () => {
    const peers = connected('one');
    expect(speaking(peers)).toEqual(['one']);
    expect(retained()).toEqual({ proxyId: 'one', term: 1 });
  });

  it('is one of those that claim it at the same moment, and what is retained names that one', () => {
    const peers = connected('one', 'two', 'three');
    expect(speaking(peers)).toHaveLength(1);
    expect(retained()).toMatchObject({ proxyId: speaking(peers)[0] });
    expect(new Set(peers.map(({ speaker }) => speaker.current))).toEqual(new Set(speaking(peers)));
  });

  it('is never two, in whatever order each of them hears what is said', () => {
    const peers = ['one', 'two', 'three'].map((id) => daemon(id));
    for (const { mqtt } of peers) mqtt.connect();
    for (let step = 0; step < 60; step += 1) {
      // An order that differs between them and is the same in each run.
      peers[(step * 7 + (step >> 2)) % 3]?.mqtt.hear();
      expect(speaking(peers).length).toBeLessThan(2);
    }
  });

  it('stays who it is when another comes', () => {
    const [one] = connected('one');
    const [two] = connected('two');
    expect(one?.speaker.speaks).toBe(true);
    expect(two?.speaker.speaks).toBe(false);
    expect(two?.speaker.current).toBe('one');
  });

  it('is the one that leads, as soon as it leads', async () => {
    const peers = connected('one', 'two');
    leader = speaking(peers)[0] === 'one' ? 'two' : 'one';
    await clock.advanceAsync(1_000);
    broker.settle();
    expect(speaking(peers)).toEqual([leader]);
  });

  it('is another at once when the broker says that it has gone, long before anybody else leads', () => {
    const peers = connected('one', 'two');
    leader = speaking(peers)[0];
    peers.find(({ mqtt }) => mqtt.proxyId === leader)?.mqtt.cut(true);
    broker.settle();
    expect(speaking(peers)).toEqual([leader === 'one' ? 'two' : 'one']);
  });

  it('is nobody who has lost the broker, and hears first who speaks when it is back', () => {
    const [one, two] = connected('one', 'two') as [Peer, Peer];
    const [before, after] = one.speaker.speaks ? [one, two] : [two, one];
    before.mqtt.cut(true);
    expect(before.speaker.speaks).toBe(false);
    broker.settle();
    before.mqtt.connect();
    broker.settle();
    expect(speaking([one, two])).toEqual([after.mqtt.proxyId]);
  });

  it('is found anew when the broker has forgotten everything', () => {
    const peers = connected('one', 'two');
    for (const { mqtt } of peers) mqtt.cut(false);
    broker.retained.clear();
    for (const { mqtt } of peers) mqtt.connect();
    broker.settle();
    expect(speaking(peers)).toHaveLength(1);
    expect(retained()).toMatchObject({ proxyId: speaking(peers)[0] });
  });

  it('is taken from a daemon that went without its will by the one that leads', async () => {
    broker.retained.set(CLAIM, JSON.stringify({ proxyId: 'gone', term: 41 }));
    broker.retained.set('r/proxy/gone/status', 'online');
    const peers = connected('one');
    expect(speaking(peers)).toEqual([]);
    leader = 'one';
    await clock.advanceAsync(1_000);
    broker.settle();
    expect(speaking(peers)).toEqual(['one']);
    expect(retained()).toEqual({ proxyId: 'one', term: 42 });
  });

  it('is found in each project for itself', () => {
    const peers = [daemon('one'), daemon('two', 'garden')];
    for (const { mqtt } of peers) mqtt.connect();
    broker.settle();
    expect(speaking(peers)).toEqual(['one', 'two']);
  });

  it('is not one that stood still: what it hears then may be old, and it connects anew', async () => {
    const [one] = connected('one') as [Peer];
    clock.freeze(20_000);
    expect(one.speaker.speaks).toBe(false);
    await clock.advanceAsync(1_000);
    expect(one.mqtt.reconnects).toHaveLength(1);
    one.mqtt.connect();
    broker.settle();
    expect(one.speaker.speaks).toBe(true);
  });

  it('is not claimed before there is something to tell', () => {
    const mqtt = new FakeMqtt(broker, 'one');
    const log = pino({ level: 'silent' });
    const tools = { mqtt, topics: new Topics('r'), project: 'house', proxyId: 'one', inCharge: () => true, clock, log };
    const speaker = new Speaker(tools);
    speaker.start();
    mqtt.connect();
    broker.settle();
    expect(broker.retained.has(CLAIM)).toBe(false);
    speaker.ready();
    broker.settle();
    expect(speaker.speaks).toBe(true);
  });

  it('is the one that leads where the broker shows nothing, and the log says what is missing, once', async () => {
    const peers = [daemon('one'), daemon('two')];
    for (const { mqtt } of peers) {
      mqtt.deaf = true;
      mqtt.connect();
    }
    leader = 'two';
    await clock.advanceAsync(20_000);
    expect(speaking(peers)).toEqual(['two']);
    expect(lines.filter((line) => line.includes('does not let this daemon read'))).toHaveLength(2);
  });

  it.each(['', 'nonsense', '{"proxyId":"","term":9}', '{"proxyId":"x","term":0.5}', 'x'.repeat(2_000)])(
    'is not changed by %j where the claim stands',
    (payload) => {
      const peers = connected('one');
      broker.publish({ topic: CLAIM, payload, retain: true });
      broker.settle();
      expect(speaking(peers)).toEqual(['one']);
    },
  );
});
