import { beforeEach, describe, expect, it } from 'vitest';
import { Publisher } from '../../../src/fleet/publisher.ts';
import type { FleetUpdate, ServiceStatus } from '../../../src/seam/fleet-view.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { serviceView } from '../../support/samples/service-view.ts';

describe('Publisher', () => {
  let clock: FakeClock;
  let publisher: Publisher;
  let updates: FleetUpdate[];
  let status: ServiceStatus;
  const web = { name: 'web', view: () => serviceView({ name: 'web', status }) };
  const api = { name: 'api', view: () => serviceView({ name: 'api' }) };
  beforeEach(() => {
    clock = new FakeClock();
    publisher = new Publisher(clock);
    updates = [];
    status = 'asleep';
  });

  function listen(): () => void {
    return publisher.subscribe([web, api], (update) => updates.push(update));
  }

  it('begins with everything, during the call', () => {
    publisher.publish(web);
    listen();
    expect(updates).toEqual([{ version: 1, complete: true, services: [web.view(), api.view()], removed: [] }]);
  });

  it('numbers every change with one more than the last, and names only what changed', () => {
    listen();
    expect(publisher.publish(web)).toBe(1);
    publisher.publishRemoved('api');
    expect(publisher.publish(web)).toBe(3);
    expect(publisher.version).toBe(3);
    expect(updates.slice(1)).toEqual([
      { version: 1, complete: false, services: [web.view()], removed: [] },
      { version: 2, complete: false, services: [], removed: ['api'] },
      { version: 3, complete: false, services: [web.view()], removed: [] },
    ]);
  });

  it('tells all who listen the same, until they leave', () => {
    const others: number[] = [];
    const leave = listen();
    publisher.subscribe([], ({ version }) => others.push(version));
    publisher.publish(web);
    leave();
    publisher.publish(web);
    expect(updates.map(({ version }) => version)).toEqual([0, 1]);
    expect(others).toEqual([0, 1, 2]);
  });

  it('makes one update of many that may wait, with the newest view', () => {
    listen();
    publisher.publishSoon(web);
    clock.advance(60);
    publisher.publishSoon(web);
    publisher.publishSoon(web);
    status = 'waking';
    expect(updates).toHaveLength(1);
    clock.advance(40);
    expect(updates.slice(1).map(({ services }) => services[0]?.status)).toEqual(['waking']);
    clock.advance(10_000);
    expect(updates).toHaveLength(2);
  });

  it('keeps the waiting updates of several services apart', () => {
    listen();
    publisher.publishSoon(web);
    publisher.publishSoon(api);
    clock.advance(100);
    expect(updates.slice(1).map(({ services }) => services[0]?.name)).toEqual(['web', 'api']);
  });

  it('does not say again later what it has said at once', () => {
    listen();
    publisher.publishSoon(web);
    publisher.publish(web);
    clock.advance(10_000);
    expect(updates).toHaveLength(2);
    expect(clock.pendingCount).toBe(0);
  });

  it('says nothing more of a service that was removed', () => {
    listen();
    publisher.publishSoon(web);
    publisher.publishRemoved('web');
    clock.advance(10_000);
    expect(updates.slice(1).map(({ removed }) => removed)).toEqual([['web']]);
  });
});
