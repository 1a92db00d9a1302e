import { beforeEach, describe, expect, it } from 'vitest';
import type { Member } from '../../../src/fleet/member.ts';
import { StatusPublisher, type StatusPublisherTools } from '../../../src/messaging/status-publisher.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { serviceSpec } from '../../support/samples/service-spec.ts';

describe('the retained status of services', () => {
  let told: string[];
  let publisher: StatusPublisher;
  let mqtt: StatusPublisherTools['mqtt'];

  beforeEach(() => {
    told = [];
    mqtt = {
      publishStatus: ({ service, status }: { service: string; status: string }) =>
        void told.push(`${service} ${status}`),
      forgetStatus: (service: string) => void told.push(`${service} is for others to tell`),
      removeStatus: (service: string) => void told.push(`${service} is gone`),
    };
    publisher = new StatusPublisher({ mqtt, clock: new FakeClock(), proxyId: 'p1' });
  });

  function member(name: string, status: Member['status']): Member {
    return { name, status, spec: serviceSpec({ name }), desired: 1, instanceViews: [] } as unknown as Member;
  }

  it('is told when it has changed, and not when only time has passed', () => {
    publisher.start();
    for (const status of ['asleep', 'waking', 'waking', 'awake'] as const) publisher.changed(member('web', status));
    expect(told).toEqual(['web asleep', 'web waking', 'web awake']);
  });

  it('waits for the start, and is what it has come to be until then', () => {
    const web = { ...member('web', 'asleep') };
    publisher.changed(web);
    publisher.changed(member('api', 'asleep'));
    publisher.removed('api');
    publisher.removed('left');
    expect(told).toEqual(['api is gone', 'left is gone']);
    told.length = 0;
    Object.assign(web, { status: 'awake' });
    publisher.start();
    expect(told).toEqual(['web awake']);
  });

  describe('by several daemons', () => {
    let speaker: { speaks: boolean; onTurn: (listener: () => void) => void };
    let turn: () => void;

    beforeEach(() => {
      speaker = { speaks: false, onTurn: (listener) => (turn = listener) };
      publisher = new StatusPublisher({ mqtt, clock: new FakeClock(), proxyId: 'p1', speaker });
      publisher.start();
    });

    function speak(speaks: boolean): void {
      speaker.speaks = speaks;
      turn();
    }

    it('is told by the one that speaks, from the moment on that it does: all of it, and what is gone', () => {
      publisher.changed(member('web', 'awake'));
      publisher.changed(member('api', 'asleep'));
      publisher.removed('old');
      expect(told).toEqual([]);
      speak(true);
      turn();
      expect(told).toEqual(['web awake', 'api asleep', 'old is gone']);
      publisher.changed(member('web', 'asleep'));
      expect(told.slice(3)).toEqual(['web asleep']);
    });

    it('is left to the others by one that speaks no longer, and told anew when it does again', () => {
      publisher.changed(member('web', 'awake'));
      speak(true);
      told.length = 0;
      speak(false);
      publisher.changed(member('web', 'asleep'));
      expect(told).toEqual(['web is for others to tell']);
      speak(true);
      expect(told.slice(1)).toEqual(['web asleep']);
    });
  });
});
