import { readFile } from 'node:fs/promises';
import { ConfigError } from '../config/config-error.ts';
import type { RefusedEdit } from '../config/refused-edit.ts';
import { diffSettings } from '../config/settings/diff-settings.ts';
import { loadSettings, type Settings } from '../config/settings.ts';
import { unknownSettings } from '../config/settings/unknown-settings.ts';
import { Lane } from '../lib/lane.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

export interface LiveConfigTools {
  readonly envFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Loads the manifest anew and takes it over. @throws ConfigError when it is refused */
  readonly applyManifest: (settings: Settings, dotenvText: string) => Promise<void>;
  /** Takes over settings that need no restart. */
  readonly applySettings: (settings: Settings) => void;
  readonly onRefused: (detail: string, code: string) => void;
  /** Told after every edit which ones stand refused until the file is mended. */
  readonly showRefused: (edits: readonly RefusedEdit[]) => void;
}

/** Edits of the manifest and of .env while the daemon runs: taken over whole, or refused whole and the old ones kept. */
export class LiveConfig {
  readonly #tools: LiveConfigTools;
  readonly #lane = new Lane();
  /** As the daemon was started. */
  readonly #settings: Settings;
  /** What .env said when it was taken over last. */
  #edited: Settings;
  #dotenvText: string;
  /** Files that stand on the disk otherwise than they are used. */
  readonly #refused = new Map<'manifest' | 'env', RefusedEdit>();

  constructor(tools: LiveConfigTools, settings: Settings, dotenvText: string) {
    this.#tools = tools;
    this.#settings = settings;
    this.#edited = settings;
    this.#dotenvText = dotenvText;
  }

  manifestEdited(): Promise<void> {
    const apply = (): Promise<void> => this.#tools.applyManifest(this.#settings, this.#dotenvText);
    return this.#lane.run(() => this.#refusable('manifest', apply));
  }

  /**
   * The manifest may read any key of .env, so that it is looked at again as well, and first: an edit that breaks
   * it is refused whole. A manifest that was refused before does not stand in the way of the settings.
   */
  envEdited(): Promise<void> {
    return this.#lane.run(async () => {
      await this.#refusable('env', async () => {
        const { envFile, environment, log } = this.#tools;
        const text = await readDotenv(envFile);
        const settings = loadSettings(environment, text);
        await this.#tools.applyManifest(this.#settings, text).then(
          () => this.#refused.delete('manifest'),
          (error: unknown) => {
            if (!this.#refused.has('manifest')) throw error;
            this.#refuse('manifest', error);
            log.warn(`the manifest is refused as before: ${messageOf(error)}`);
          },
        );
        warnOfUnknownSettings(text, log);
        const { live } = diffSettings(this.#edited, settings);
        const { restartNeeded } = diffSettings(this.#settings, settings);
        this.#edited = settings;
        for (const key of restartNeeded) log.warn(`restart needed: ${key}`);
        if (live.length > 0) log.info(`${live.join(', ')} changed and ${live.length > 1 ? 'are' : 'is'} applied`);
        this.#tools.applySettings(settings);
        this.#dotenvText = text;
      });
    });
  }

  /** The event of a refusal is logged as every event. */
  async #refusable(what: 'manifest' | 'env', edit: () => Promise<void>): Promise<void> {
    try {
      await edit();
      this.#refused.delete(what);
    } catch (error) {
      this.#refuse(what, error);
      this.#tools.onRefused(messageOf(error), error instanceof CodedError ? error.code : 'internal');
    }
    this.#tools.showRefused([...this.#refused.values()]);
  }

  #refuse(what: 'manifest' | 'env', error: unknown): void {
    const file = what === 'env' ? this.#tools.envFile : this.#settings.manifest;
    this.#refused.set(what, { file, detail: messageOf(error) });
  }
}

/** .env may hold variables of the manifest's own; those that look like ours but are not are probably typing errors. */
export function warnOfUnknownSettings(dotenvText: string, log: Logger): void {
  for (const { key, didYouMean } of unknownSettings(dotenvText)) {
    log.warn(`${key} in .env is not a setting; did you mean ${didYouMean}?`);
  }
}

/** The text of .env; empty when there is none. */
export async function readDotenv(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    const problem = { field: path, message: `cannot be read: ${messageOf(error)}` };
    throw new ConfigError('The settings', [problem], { cause: error });
  }
}
