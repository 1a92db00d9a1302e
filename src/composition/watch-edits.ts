import type { RefusedEdit } from '../config/refused-edit.ts';
import type { Settings } from '../config/settings.ts';
import { ConfigWatcher } from '../config/watch-config.ts';
import type { Clock } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import { LiveConfig } from './live-config.ts';
import type { ProcessOptions } from './process-options.ts';

export interface EditTools extends ProcessOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** What the manifest is made of. */
  readonly manifestFiles: readonly string[];
  /**
   * @param onFile is told every file that the manifest is made of, also when it is refused
   * @returns what the manifest is made of now
   * @throws ConfigError when it is refused
   */
  readonly applyManifest: (
    settings: Settings,
    dotenvText: string,
    onFile: (path: string) => void,
  ) => Promise<readonly string[]>;
  /** Told the settings from now on: of those that were edited, what applies without a restart. */
  readonly applySettings: (settings: Settings) => void;
  readonly onRefused: (detail: string, code: string) => void;
  /** Told after every edit which ones stand refused until the file is mended. */
  readonly showRefused: (edits: readonly RefusedEdit[]) => void;
}

/** Takes over edits of the manifest and of .env from now on. */
export async function watchEdits(tools: EditTools): Promise<ConfigWatcher> {
  const { envFile, settings, dotenvText, clock, log } = tools;
  let { manifestFiles } = tools;
  const applyManifest = async (edited: Settings, text: string): Promise<void> => {
    const met: string[] = [];
    try {
      manifestFiles = await tools.applyManifest(edited, text, (path) => met.push(path));
    } catch (error) {
      // What is wrong may be in a file that the manifest has only now come to be made of: its next edit counts as well.
      manifestFiles = [...new Set([...manifestFiles, ...met])];
      throw error;
    } finally {
      watcher.setManifestFiles(manifestFiles);
    }
  };
  let current = settings;
  const applySettings = (edited: Settings): void => {
    current = withLive(current, edited);
    tools.applySettings(current);
  };
  const live = new LiveConfig({ ...tools, applyManifest, applySettings }, settings, dotenvText);
  const watcher: ConfigWatcher = new ConfigWatcher({
    manifestPath: settings.manifest,
    envPath: envFile,
    clock,
    logger: log,
    onChange: ({ kind }) => void (kind === 'env' ? live.envEdited() : live.manifestEdited()),
  });
  await watcher.start();
  watcher.setManifestFiles(manifestFiles);
  return watcher;
}

/** Of edited settings, those that apply without a restart; the others stay as they are. */
function withLive(settings: Settings, edited: Settings): Settings {
  const { logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands } = edited;
  return { ...settings, logLevel, accessLog, adminToken, trustedProxies, drainTimeoutMs, mqttCommands };
}
