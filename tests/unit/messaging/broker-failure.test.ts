import { describe, expect, it } from 'vitest';
import { explainBrokerFailure } from '../../../src/messaging/broker-failure.ts';

function failure(code: string | number, message = 'what the system said'): Error {
  return Object.assign(new Error(message), { code });
}

describe('broker failure', () => {
  it.each([
    ['ECONNREFUSED', /start the broker.*\(ECONNREFUSED\)/],
    ['ENOTFOUND', /MQTT_BROKER_URL/],
    ['DEPTH_ZERO_SELF_SIGNED_CERT', /MQTT_CA_FILE/],
    [5, /^the broker refused the user name or password/],
    [134, /^the broker refused the user name or password/],
    [142, /another client took over/],
  ])('says what to do about %s', (code, words) => {
    expect(explainBrokerFailure(failure(code))).toMatch(words);
  });

  it('passes the words of an unknown failure on, and its code where there are none', () => {
    expect(explainBrokerFailure(failure('EODD'))).toBe('what the system said');
    expect(explainBrokerFailure(failure('EODD', ''))).toBe('EODD');
    expect(explainBrokerFailure(new Error('plain'))).toBe('plain');
  });
});
