import { describe, expect, it } from 'vitest';
import { parseBrokerUrl } from '../../../src/messaging/broker-address.ts';

describe('broker address', () => {
  it.each([
    ['mqtt://broker', 'mqtt', 'broker', 1883],
    ['mqtts://broker', 'mqtts', 'broker', 8883],
    ['mqtt://broker:2000', 'mqtt', 'broker', 2000],
    ['ws://broker', 'ws', 'broker', 80],
    ['wss://broker:443/mqtt', 'wss', 'broker', 443],
    ['mqtt://[::1]:1883', 'mqtt', '::1', 1883],
  ])('reads %s', (url, scheme, host, port) => {
    expect(parseBrokerUrl(url)).toMatchObject({ scheme, host, port });
  });

  it('decodes credentials, and keeps them out of the label', () => {
    const address = parseBrokerUrl('mqtts://ann:p%40ss%2F100%25@broker/path?x=1');
    expect(address).toMatchObject({ username: 'ann', password: 'p@ss/100%' });
    expect(address.label).toBe('mqtts://broker:8883');
  });

  it('takes a lone percent sign in a password as it stands', () => {
    expect(parseBrokerUrl('mqtt://ann:100%@broker').password).toBe('100%');
  });

  it('keeps path and query for WebSockets', () => {
    expect(parseBrokerUrl('wss://broker/mqtt?token=1').path).toBe('/mqtt?token=1');
    expect(parseBrokerUrl('ws://broker').path).toBe('/');
  });

  it.each(['', 'broker:1883', 'http://broker', 'mqtt://', 'mqtt:broker', 'mqtt://ann:geheim@broker:99999'])(
    'refuses %j without repeating it',
    (url) => {
      const parse = (): unknown => parseBrokerUrl(url);
      expect(parse).toThrow(/MQTT_BROKER_URL cannot be used/);
      expect(parse).not.toThrow(/geheim/);
    },
  );
});
