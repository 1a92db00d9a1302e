import type { Settings } from '../config/settings.ts';
import type { Logger } from '../lib/logger.ts';

/** What every process of the daemon is started with, whichever halves it holds. */
export interface ProcessOptions {
  readonly settings: Settings;
  readonly dotenvText: string;
  readonly envFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
}
