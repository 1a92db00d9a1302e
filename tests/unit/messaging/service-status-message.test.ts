import { expect, it } from 'vitest';
import { toServiceStatusMessage } from '../../../src/messaging/service-status-message.ts';
import { serviceRecord } from '../../contract/state-store-suite/records.ts';

it('counts the instances that are ready among those of the record', () => {
  const record = serviceRecord('web', { desired: 2 });
  expect(toServiceStatusMessage(record)).toEqual({
    service: 'web',
    status: 'awake',
    replicas: { desired: 2, ready: 1 },
    instances: record.instances,
    at: record.updatedAt,
  });
});
