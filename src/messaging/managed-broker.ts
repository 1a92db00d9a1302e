import type { Manifest } from '../config/service-spec.ts';

/** A broker that runs as a service of the manifest. */
export interface ManagedBroker {
  readonly service: string;
  /** Where it is reached from this machine. */
  readonly url: string;
}

/** The service that publishes MQTT_PORT on this machine: it stands where the embedded broker would, which is not started then. */
export function managedBroker(manifest: Manifest, mqttPort: number): ManagedBroker | undefined {
  for (const { name, source, publish } of manifest.values()) {
    const found = publish.find(({ hostPort, protocol }) => hostPort === mqttPort && protocol === 'tcp');
    if (!found || source.kind === 'url') continue;
    return { service: name, url: `mqtt://${reachable(found.hostIp)}:${mqttPort}` };
  }
  return undefined;
}

function reachable(hostIp: string): string {
  if (hostIp === '' || hostIp === '0.0.0.0' || hostIp === '::') return '127.0.0.1';
  return hostIp.includes(':') ? `[${hostIp}]` : hostIp;
}
