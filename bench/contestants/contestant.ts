import type { ServerCommand } from '../server-process.ts';
import type { Site } from '../site.ts';

export type Ability = 'proxy' | 'http2' | 'websocket';

/** A program that is measured. It serves TLS on the port given, with the certificate and the upstreams of the site. */
export interface Contestant {
  readonly name: string;
  readonly abilities: readonly Ability[];
  /** What has to be installed for it. */
  readonly program?: string;
  /** Writes its configuration into `dir`, a folder of its own, and says how it is started. */
  prepare(site: Site, dir: string, port: number): Promise<Pick<ServerCommand, 'command' | 'env'>>;
}
