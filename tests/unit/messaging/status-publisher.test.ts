import { beforeEach, describe, expect, it } from 'vitest';
import type { Member } from '../../../src/fleet/member.ts';
import { StatusPublisher } from '../../../src/messaging/status-publisher.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { serviceSpec } from '../../support/samples/service-spec.ts';

describe('the retained status of services', () => {
  let told: string[];
  let publisher: StatusPublisher;

  beforeEach(() => {
    told = [];
    const mqtt = {
      publishStatus: ({ service, status }: { service: string; status: string }) =>
        void told.push(`${service} ${status}`),
      removeStatus: (service: string) => void told.push(`${service} is gone`),
    };
    publisher = new StatusPublisher(mqtt, new FakeClock(), 'p1');
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
});
