import { describe, expect, it } from 'vitest';
import {
  announceProxy,
  announceService,
  discoveryFilter,
  withdrawService,
} from '../../../src/messaging/home-assistant-config.ts';
import { Topics } from '../../../src/messaging/topics.ts';
import { serviceSpec } from '../../support/samples/service-spec.ts';

const announcer = {
  topics: new Topics('services'),
  proxyId: 'ab12',
  domain: 'example.localhost',
  dashboardUrl: 'https://proxy.example.localhost',
  version: '1.2.3',
};
const spec = serviceSpec({ name: 'web', scale: { min: 0, max: 3, cooldownMs: 60_000 } });
const read = (announced: ReadonlyMap<string, string>, topic: string): Record<string, unknown> =>
  JSON.parse(announced.get(topic) ?? 'null') as Record<string, unknown>;

describe('an announcement to Home Assistant', () => {
  const announced = announceService(spec, announcer);

  it('is a switch and sensors of one device, each with a topic and an id of its own', () => {
    expect([...announced.keys()]).toEqual([
      'homeassistant/switch/reveille_ab12/web/config',
      'homeassistant/number/reveille_ab12/web_replicas/config',
      'homeassistant/sensor/reveille_ab12/web_status/config',
      'homeassistant/sensor/reveille_ab12/web_ready/config',
      'homeassistant/sensor/reveille_ab12/web_desired/config',
      'homeassistant/sensor/reveille_ab12/web_cpu/config',
      'homeassistant/sensor/reveille_ab12/web_memory/config',
      'homeassistant/binary_sensor/reveille_ab12/web_problem/config',
    ]);
    const configs = [...announced.keys()].map((topic) => read(announced, topic));
    expect(new Set(configs.map((config) => config['unique_id'])).size).toBe(8);
    for (const config of configs) {
      expect(config).toMatchObject({
        state_topic: expect.stringMatching(/^services\/web\/(status|usage)$/) as string,
        device: { identifiers: ['reveille_ab12_web'], via_device: 'reveille_ab12' },
      });
      expect(config['availability']).toContainEqual({ topic: 'services/proxy/ab12/status' });
    }
  });

  it('lets the switch command the service, only while commands are taken', () => {
    expect(read(announced, 'homeassistant/switch/reveille_ab12/web/config')).toMatchObject({
      command_topic: 'services/web/command/set',
      availability_mode: 'all',
      availability: [
        { topic: 'services/proxy/ab12/status' },
        { topic: 'services/proxy/ab12/commands', payload_available: 'on', payload_not_available: 'off' },
      ],
    });
  });

  it('lets the number of instances be chosen, within the limits of the manifest', () => {
    const topic = 'homeassistant/number/reveille_ab12/web_replicas/config';
    const limits = { command_topic: 'services/web/command/scale', min: 1, max: 3, step: 1 };
    expect(read(announced, topic)).toMatchObject({ ...limits, availability_mode: 'all' });
    const min = { min: 2, max: 4, cooldownMs: 0 };
    expect(read(announceService({ ...spec, scale: min }, announcer), topic)).toMatchObject({ min: 2, max: 4 });
    const single = { min: 0, max: 1, cooldownMs: 0 };
    expect(announceService({ ...spec, scale: single }, announcer).get(topic)).toBe('');
  });

  it('shows CPU and memory from a topic of their own, in units that Home Assistant knows', () => {
    expect(read(announced, 'homeassistant/sensor/reveille_ab12/web_cpu/config')).toMatchObject({
      ...{ state_topic: 'services/web/usage', unit_of_measurement: '%', value_template: '{{ value_json.cpu }}' },
    });
    expect(read(announced, 'homeassistant/sensor/reveille_ab12/web_memory/config')).toMatchObject({
      ...{ state_topic: 'services/web/usage', unit_of_measurement: 'MiB', device_class: 'data_size' },
    });
  });

  it('has nothing to command or measure for a service that somebody else runs', () => {
    const external = announceService({ ...spec, source: { kind: 'url', urls: ['http://10.0.0.5'] } }, announcer);
    for (const place of [
      'switch/reveille_ab12/web',
      'number/reveille_ab12/web_replicas',
      'sensor/reveille_ab12/web_cpu',
    ]) {
      expect(external.get(`homeassistant/${place}/config`)).toBe('');
    }
    expect(external.get('homeassistant/sensor/reveille_ab12/web_status/config')).toContain('value_json.status');
  });

  it('is withdrawn at each of its places', () => {
    expect([...withdrawService('web', announcer)]).toEqual([...announced.keys()].map((topic) => [topic, '']));
  });

  it('shows the daemon itself as a device', () => {
    const topic = 'homeassistant/binary_sensor/reveille_ab12/proxy/config';
    expect(read(announceProxy(announcer), topic)).toMatchObject({
      device_class: 'connectivity',
      state_topic: 'services/proxy/ab12/status',
      device: { identifiers: ['reveille_ab12'], configuration_url: 'https://proxy.example.localhost' },
    });
  });

  it('makes no topic out of a proxy id that is none', () => {
    expect(discoveryFilter({ ...announcer, proxyId: 'a/b #' })).toBe('homeassistant/+/reveille_a_b__/+/config');
  });
});
