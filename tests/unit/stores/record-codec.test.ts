import { describe, expect, it } from 'vitest';
import { serviceCodec } from '../../../src/stores/record-codec.ts';
import { serviceRecord } from '../../contract/state-store-suite/records.ts';

const unreadable = expect.objectContaining({ code: 'record_unreadable' }) as Error;

describe('record codec', () => {
  it('reads what it wrote, with and without an upstream', () => {
    expect(serviceCodec.decode(serviceCodec.encode(serviceRecord('web')))).toEqual(serviceRecord('web'));
  });

  it('writes the version of the shape into every record', () => {
    expect(serviceCodec.encode(serviceRecord('web'))).toMatchObject({ v: 1, _id: 'web' });
  });

  it('upgrades a record from before shapes had versions', () => {
    const { _id, routes, status, desired, rev, updatedAt } = serviceRecord('web');
    const old = { _id, routes, status, desired, rev, updatedAt };
    expect(serviceCodec.decode(old)).toEqual({ ...serviceRecord('web'), instances: [], proxyId: '' });
  });

  it('refuses a record of a later version and says that a newer release wrote it', () => {
    const later = { ...serviceRecord('web'), v: 99 };
    expect(() => serviceCodec.decode(later)).toThrow(/newer release/);
  });

  it.each([
    ['text', 'web'],
    ['a list', []],
    ['null', null],
    ['a version that is no number', { v: '1' }],
    ['a negative version', { v: -1 }],
    ['an unknown status', { ...serviceRecord('web'), v: 1, status: 'dancing' }],
    ['a rev that is no whole number', { ...serviceRecord('web'), v: 1, rev: 1.5 }],
    ['a missing field', { v: 1, _id: 'web' }],
  ])('refuses %s', (_what, shape) => {
    expect(() => serviceCodec.decode(shape)).toThrow(unreadable);
  });
});
