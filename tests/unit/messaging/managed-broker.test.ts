import { expect, it } from 'vitest';
import type { PublishSpec, ServiceSpec } from '../../../src/config/service-spec.ts';
import { managedBroker } from '../../../src/messaging/managed-broker.ts';
import { manifestOf } from '../../support/set-ups/fleet.ts';
import { serviceSpec } from '../../support/samples/service-spec.ts';

function publishing(name: string, hostPort: number, changes: Partial<PublishSpec> = {}): ServiceSpec {
  const publish = [{ hostIp: '127.0.0.1', hostPort, containerPort: 1883, protocol: 'tcp' as const, ...changes }];
  return serviceSpec({ name, publish });
}

it('is the service that publishes the port of MQTT', () => {
  const manifest = manifestOf(serviceSpec({ name: 'web' }), publishing('other', 1884), publishing('broker', 1883));
  expect(managedBroker(manifest, 1883)).toEqual({ service: 'broker', url: 'mqtt://127.0.0.1:1883' });
  expect(managedBroker(manifest, 1885)).toBeUndefined();
});

it.each([
  ['0.0.0.0', 'mqtt://127.0.0.1:1883'],
  ['::1', 'mqtt://[::1]:1883'],
  ['192.168.1.2', 'mqtt://192.168.1.2:1883'],
])('published on %s is reached at %s', (hostIp, url) => {
  expect(managedBroker(manifestOf(publishing('mqtt', 1883, { hostIp })), 1883)?.url).toBe(url);
});

it('is nothing that publishes another protocol', () => {
  expect(managedBroker(manifestOf(publishing('mqtt', 1883, { protocol: 'udp' })), 1883)).toBeUndefined();
});
