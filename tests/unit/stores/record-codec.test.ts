import { describe, expect, it } from 'vitest';
import { decodeService, encodeService } from '../../../src/stores/record-codec.ts';
import { serviceRecord } from '../../contract/state-store-suite.ts';

const unreadable = expect.objectContaining({ code: 'record_unreadable' }) as Error;

describe('record codec', () => {
  it('reads what it wrote, with and without an upstream', () => {
    expect(decodeService(encodeService(serviceRecord('web')))).toEqual(serviceRecord('web'));
  });

  it('writes the version of the shape into every record', () => {
    expect(JSON.parse(encodeService(serviceRecord('web')))).toMatchObject({ v: 1, _id: 'web' });
  });

  it('upgrades a record from before shapes had versions', () => {
    const old = { ...serviceRecord('web'), instances: undefined, proxyId: undefined };
    expect(decodeService(JSON.stringify(old))).toEqual({ ...serviceRecord('web'), instances: [], proxyId: '' });
  });

  it('refuses a record of a later version and says that a newer release wrote it', () => {
    const later = JSON.stringify({ ...serviceRecord('web'), v: 99 });
    expect(() => decodeService(later)).toThrow(/newer release/);
  });

  it.each([
    ['no JSON', '{"_id":'],
    ['a list', '[]'],
    ['null', 'null'],
    ['a version that is no number', '{"v":"1"}'],
    ['a negative version', '{"v":-1}'],
    ['an unknown status', JSON.stringify({ ...serviceRecord('web'), v: 1, status: 'dancing' })],
    ['a rev that is no whole number', JSON.stringify({ ...serviceRecord('web'), v: 1, rev: 1.5 })],
    ['a missing field', JSON.stringify({ v: 1, _id: 'web' })],
  ])('refuses %s', (_what, text) => {
    expect(() => decodeService(text)).toThrow(unreadable);
  });
});
