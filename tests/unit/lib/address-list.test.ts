import { describe, expect, it } from 'vitest';
import { AddressList } from '../../../src/lib/address-list.ts';

describe('AddressList', () => {
  const list = new AddressList(['10.0.0.0/8', '192.168.7.3/32', 'fd00::/8', '::1/128']);

  it.each(['10.0.0.0', '10.255.255.255', '192.168.7.3', 'fd12:3456::1', '::1'])('has %s', (address) => {
    expect(list.has(address)).toBe(true);
  });

  it.each(['11.0.0.0', '9.255.255.255', '192.168.7.4', 'fe80::1', '::2', '2001:db8::1'])('has not %s', (address) => {
    expect(list.has(address)).toBe(false);
  });

  it('knows an IPv4 address that a dual-stack socket shows as IPv6', () => {
    expect(list.has('::ffff:10.1.2.3')).toBe(true);
    expect(list.has('::ffff:11.1.2.3')).toBe(false);
  });

  it.each(['', 'unknown', '10.0.0', '10.1.2.3:80', 'fe80::1%eth0'])('has not %j, which is no address', (text) => {
    expect(list.has(text)).toBe(false);
  });

  it('has everything in the networks of all addresses, and nothing when it is empty', () => {
    expect(new AddressList(['0.0.0.0/0']).has('203.0.113.9')).toBe(true);
    expect(new AddressList(['0.0.0.0/0']).has('2001:db8::1')).toBe(false);
    expect(new AddressList([]).has('127.0.0.1')).toBe(false);
  });
});
