import type { RefusedEdit } from '../config/refused-edit.ts';
import type { EventBus } from '../fleet/event-bus.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { StateStore } from '../fleet/state-store.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { EventHistory } from './event-history.ts';
import type { OpenStreams } from './open-streams.ts';
import type { Sessions } from './sessions.ts';

export interface MqttState {
  readonly condition: { readonly up: true } | { readonly up: false; readonly reason: string };
  /** Messages that were given up. */
  readonly dropped: number;
  readonly kind: 'embedded' | 'external';
  /** Without credentials. */
  readonly url: string;
}

export interface ManagementOptions {
  readonly fleet: Fleet;
  readonly store: StateStore;
  readonly mqttState: () => MqttState;
  /** What Prometheus is answered with. */
  readonly metrics: () => Promise<{ readonly contentType: string; readonly text: string }>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
  /** Asked at every request: it may change while the daemon runs. */
  readonly token: () => string;
  readonly socketPath: string;
  /** The only host that is answered, such as `proxy.alkimia.localhost`. */
  readonly adminHost: string;
  readonly publicUrl: (host: string) => string;
  readonly development: boolean;
  /** How many proxy processes are there; absent where the daemon is one process. */
  readonly proxies?: () => number;
  /** Why another runtime than the wanted one is used, if so. */
  readonly runtimeNotice: () => string | undefined;
  /** Edits of the manifest and of .env that wait to be mended. */
  readonly refusedEdits: () => readonly RefusedEdit[];
  /** Peers in front of the proxy whose X-Forwarded-For is believed. */
  readonly trustedPeer?: (address: string) => boolean;
}

/** What the routes work with. */
export interface ManagementTools extends ManagementOptions {
  readonly history: EventHistory;
  readonly sessions: Sessions;
  readonly streams: OpenStreams;
  readonly startedMs: number;
}
