import { createHash } from 'node:crypto';

/**
 * The same after a restart, so that the broker ends a connection that a killed daemon left behind, and publishes its will,
 * before the new one says `online`. Within the 23 letters and digits that every broker takes (MQTT 3.1.1 section 3.1.3.1).
 */
export function clientIdOf(proxyId: string): string {
  return `reveille${createHash('sha256').update(proxyId).digest('hex').slice(0, 15)}`;
}
