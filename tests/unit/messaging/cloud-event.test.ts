import { describe, expect, it } from 'vitest';
import type { FleetEvent } from '../../../src/fleet/events.ts';
import { toCloudEvent, toNetworkMessage } from '../../../src/messaging/cloud-event.ts';

const event: FleetEvent = {
  id: 'abc-000000001',
  type: 'instance.died',
  service: 'web',
  instanceId: 'web-1',
  atEpochMs: Date.UTC(2026, 10, 1, 10, 0, 0, 5),
  data: { reason: 'error', code: 'instance_exited' },
};
const ofService: FleetEvent = { id: event.id, type: event.type, service: 'web', atEpochMs: event.atEpochMs, data: {} };

describe('cloud event', () => {
  it('has every attribute that CloudEvents 1.0 requires, and those of the contract', () => {
    expect(toCloudEvent(event, 'proxy 1')).toEqual({
      specversion: '1.0',
      id: 'abc-000000001',
      source: 'reveille/proxy%201',
      type: 'instance.died',
      subject: 'web/web-1',
      time: '2026-11-01T10:00:00.005Z',
      datacontenttype: 'application/json',
      data: { reason: 'error', code: 'instance_exited' },
    });
  });

  it('has the service alone as subject when no instance is meant', () => {
    expect(toCloudEvent(ofService, 'p1').subject).toBe('web');
  });
});

describe('network message', () => {
  it('parts the type into event and action and puts the data beside them', () => {
    expect(toNetworkMessage(event)).toEqual({
      service: 'web',
      message: {
        event: 'instance',
        action: 'died',
        id: 'abc-000000001',
        instance: 'web-1',
        at: '2026-11-01T10:00:00.005Z',
        reason: 'error',
        code: 'instance_exited',
      },
    });
  });

  it('lets no field of the data stand in the place of its own', () => {
    const { message } = toNetworkMessage({
      ...ofService,
      data: { event: 'x', action: 'y', id: 'z', service: 'other' },
    });
    expect(message).toMatchObject({ event: 'instance', action: 'died', id: 'abc-000000001' });
    expect(Object.keys(message).slice(0, 2)).toEqual(['event', 'action']);
  });
});
