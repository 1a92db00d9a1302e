import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { Topics } from '../../../src/messaging/topics.ts';

describe('topics', () => {
  const topics = new Topics('house/services');

  it('builds the topics of the contract under the root', () => {
    expect(topics.network).toBe('house/services/network');
    expect(topics.proxyStatus('p1')).toBe('house/services/proxy/p1/status');
    expect(topics.serviceStatus('web')).toBe('house/services/web/status');
    expect(topics.serviceEvent('web', 'cpu.panic')).toBe('house/services/web/event/cpu.panic');
  });

  it.each(['', 'a/b', 'a+', '#', 'a\u0000', 'a\nb', '\uD800'])('refuses %j as a service and as a proxy id', (name) => {
    const invalid = expect.objectContaining({ code: 'topic_invalid' }) as Error;
    expect(() => topics.serviceStatus(name)).toThrow(invalid);
    expect(() => topics.serviceEvent(name, 'scale.up')).toThrow(invalid);
    expect(() => topics.proxyStatus(name)).toThrow(invalid);
  });

  it.each(['services', 'a/b/c/d/e/f/g/h', 'Häuser/日本'])('takes %j as a root', (root) => {
    expect(new Topics(root).network).toBe(`${root}/network`);
  });

  it.each(['', '/a', 'a/', 'a//b', '$SYS', 'a/#', '+', 'a\u0000b', 'a/b/c/d/e/f/g/h/i', 'x'.repeat(201)])(
    'refuses %j as a root and names the setting',
    (root) => {
      expect(() => new Topics(root)).toThrow(ConfigError);
      expect(() => new Topics(root)).toThrow(/MQTT_TOPIC_ROOT/);
    },
  );

  it.each(['wake', 'sleep', 'scale', 'set'])('reads the command %s', (command) => {
    const parsed = topics.parseCommandTopic(`house/services/web/command/${command}`);
    expect(parsed).toEqual({ service: 'web', command });
  });

  it.each([
    'house/services/web/command/explode',
    'house/services/web/command',
    'house/services/web/command/wake/now',
    'house/services//command/wake',
    'house/services/web/status',
    'other/services/web/command/wake',
    'house/servicesx/web/command/wake',
    'house/services/a+b/command/wake',
    '',
  ])('reads no command from %j', (topic) => {
    expect(topics.parseCommandTopic(topic)).toBeUndefined();
  });

  it.each([
    'house/services/network',
    'house/services/web/status',
    'house/services/web/event/scale.up',
    'house/services/web/command/wake',
    'house/services/proxy/p1/status',
  ])('knows %j as its own', (topic) => {
    expect(topics.isOurs(topic)).toBe(true);
  });

  it.each(['house/services/answers/7', 'house/services', 'answers', 'house/servicesx/network'])(
    'leaves %j to others',
    (topic) => {
      expect(topics.isOurs(topic)).toBe(false);
    },
  );
});
