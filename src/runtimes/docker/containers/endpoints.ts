import type { ContainerInspectInfo } from 'dockerode';
import type { Endpoint } from '../../../seam/fleet-view.ts';
import { portsOfLabels } from '../../labels.ts';

/** `direct`: the container's own address, which refuses honestly. `published`: a port of 127.0.0.1, where containers are out of reach. */
export type EndpointMode = 'direct' | 'published';

/** Container ports for bytes, published on the loopback of the host without being asked for, on a port that the engine chooses. */
function published({ NetworkSettings }: ContainerInspectInfo, port: number, host: string): Endpoint | undefined {
  const bindings = (NetworkSettings.Ports as Record<string, { HostIp: string; HostPort: string }[] | null | undefined>)[
    `${port}/tcp`
  ];
  const usable =
    bindings?.find(({ HostIp }) => HostIp === '127.0.0.1') ?? bindings?.find(({ HostIp }) => !HostIp.includes(':'));
  return usable
    ? { host: usable.HostIp === '0.0.0.0' ? host : usable.HostIp, port: Number(usable.HostPort) }
    : undefined;
}

/** Where each port of a running container is reached. Read anew after each start: addresses and chosen ports change. */
export function endpointsOf(
  container: ContainerInspectInfo,
  { mode, network }: { readonly mode: EndpointMode; readonly network: string },
): Record<number, Endpoint> {
  const networks = container.NetworkSettings.Networks as Readonly<Record<string, { IPAddress?: string } | undefined>>;
  const address = networks[network]?.IPAddress ?? '';
  const endpoints: Record<number, Endpoint> = {};
  for (const port of portsOfLabels(container.Config.Labels)) {
    const endpoint =
      mode === 'published' ? published(container, port, '127.0.0.1') : address ? { host: address, port } : undefined;
    if (endpoint) endpoints[port] = endpoint;
  }
  return endpoints;
}
