import { z } from 'zod';
import { parsedBy, Unacceptable } from '../parsed-type.ts';
import { port } from './port.ts';
import type { PublishSpec } from '../service-spec.ts';

const FORM = /^(?:(\[[^\]]+\]|[^:[\]]+):)?(\d+):(\d+)(?:\/(tcp|udp))?$/;

/** A port as Docker publishes it: '[address:]hostPort:containerPort[/udp]'. */
function parsePublish(value: unknown): PublishSpec {
  const match = FORM.exec(typeof value === 'string' ? value : '');
  if (!match) {
    throw new Unacceptable("must be '[address:]hostPort:containerPort[/udp]', such as '127.0.0.1:27017:27017'");
  }
  const hostIp = (match[1] ?? '0.0.0.0').replace(/^\[(.*)\]$/, '$1');
  if (!z.union([z.ipv4(), z.ipv6()]).safeParse(hostIp).success) {
    throw new Unacceptable(`must begin with an IP address of this host; "${hostIp}" is none`);
  }
  const [hostPort, containerPort] = [port.safeParse(match[2]), port.safeParse(match[3])];
  if (!hostPort.success || !containerPort.success) throw new Unacceptable('must name ports from 1 to 65535');
  return {
    hostIp,
    hostPort: hostPort.data,
    containerPort: containerPort.data,
    protocol: match[4] === 'udp' ? 'udp' : 'tcp',
  };
}

export const publishType = parsedBy(parsePublish);

/** Whether both would bind the same port of the host. */
export function collide(a: PublishSpec, b: PublishSpec): boolean {
  if (a.hostPort !== b.hostPort || a.protocol !== b.protocol) return false;
  const everywhere = [a.hostIp, b.hostIp].some((ip) => ip === '0.0.0.0' || ip === '::');
  return everywhere || a.hostIp === b.hostIp;
}
