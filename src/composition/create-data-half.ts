import { resolve } from 'node:path';
import { adminHostOf, controlSocketOf } from './addresses.ts';
import type { Settings } from '../config/settings.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { keptSecret } from '../lib/secret-file.ts';
import { DataHalf, type DataHalfOptions } from '../proxy/data-half.ts';
import type { ForwardLimits } from '../proxy/forward/forward-limits.ts';
import type { ListenerLimits } from '../proxy/listen/listener-limits.ts';
import type { ControlLink } from '../seam/control-link.ts';

export interface DataHalfTools {
  readonly settings: Settings;
  readonly link: ControlLink;
  readonly certificates: DataHalfOptions['certificates'];
  readonly clock: Clock;
  readonly log: Logger;
  /** What everyone who waits should know. */
  readonly notice: () => string | undefined;
}

/** The data half as the settings want it. Its secrets are the same in every process: clients may come back to another one. */
export async function createDataHalf(tools: DataHalfTools): Promise<DataHalf> {
  const { settings, ...rest } = tools;
  const { env, stateDir, localIp: address, httpsPort, httpPort, trustedProxies, accessLog, manifest } = settings;
  return new DataHalf({
    ...rest,
    ...{ address, httpsPort, httpPort, trustedProxies, accessLog, manifest },
    development: env === 'development',
    admin: { host: adminHostOf(settings), endpoint: { host: controlSocketOf(settings), port: 0 } },
    affinitySecret: Buffer.from(await keptSecret(resolve(stateDir, 'affinity-secret'), 32), 'hex'),
    ticketKeys: Buffer.from(await keptSecret(resolve(stateDir, 'ticket-keys'), 48), 'hex'),
    listenerLimits: listenerLimitsOf(settings),
    forwardLimits: forwardLimitsOf(settings),
  });
}

function listenerLimitsOf({ limits }: Settings): Partial<ListenerLimits> {
  return {
    handshakeTimeoutMs: limits.tlsHandshakeTimeoutMs,
    headersTimeoutMs: limits.headersTimeoutMs,
    keepAliveTimeoutMs: limits.keepAliveTimeoutMs,
    sessionIdleTimeoutMs: limits.keepAliveTimeoutMs,
    stallTimeoutMs: limits.stallTimeoutMs,
    maxHeaderBytes: limits.maxHeaderSizeBytes,
    maxUrlBytes: limits.maxUrlSizeBytes,
    maxConnectionsPerAddress: limits.maxConnectionsPerClient,
  };
}

function forwardLimitsOf({ limits }: Settings): Partial<ForwardLimits> {
  return {
    connectTimeoutMs: limits.connectTimeoutMs,
    responseTimeoutMs: limits.responseTimeoutMs,
    bodyTimeoutMs: limits.bodyTimeoutMs,
    stallTimeoutMs: limits.stallTimeoutMs,
    maxBodyBytes: limits.maxBodySizeBytes === 0 ? Infinity : limits.maxBodySizeBytes,
  };
}
