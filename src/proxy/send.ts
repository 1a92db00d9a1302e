import type { Endpoint } from '../seam/fleet-view.ts';
import type { Forwarder, ForwardOptions } from './forward/forwarder.ts';
import type { ForwardResult } from './forward/forward-result.ts';
import type { Visit } from './visit.ts';

/** Forwards what was asked for: a request, or a handshake that asks to leave HTTP. @throws UpstreamError */
export function send(
  forwarder: Forwarder,
  { exchange, upgrade }: Visit,
  endpoint: Endpoint,
  headers: string[],
  options: ForwardOptions,
): Promise<ForwardResult> {
  return upgrade
    ? forwarder.upgrade(upgrade, endpoint, headers, options)
    : forwarder.forward(exchange, endpoint, headers, options);
}
