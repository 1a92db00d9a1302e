import { describe, expect, it } from 'vitest';
import { clientHintOf } from '../../../src/proxy/client-hint.ts';

describe('the hint of a client', () => {
  it.each([
    ['203.0.113.77', 'curl/8.1', '203.0.113.0/24 curl/8.1'],
    ['::ffff:203.0.113.77', 'Mozilla/5.0 (X11; Linux x86_64)', '203.0.113.0/24 Mozilla/5.0'],
    ['2001:db8:aaaa:bbbb::1', undefined, '2001:db8:aaaa::/48'],
    ['127.0.0.1', 'x'.repeat(100), `127.0.0.0/24 ${'x'.repeat(40)}`],
  ])('of %s is its network and what it calls itself first', (remoteAddress, agent, expected) => {
    const header = (name: string): string | undefined => (name === 'user-agent' ? agent : undefined);
    expect(clientHintOf({ remoteAddress, header })).toBe(expected);
  });
});
