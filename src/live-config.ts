import { readFile } from 'node:fs/promises';
import { diffSettings } from './config/diff-settings.ts';
import { loadSettings, type Settings } from './config/settings.ts';
import { Lane } from './lib/lane.ts';
import { messageOf } from './lib/coded-error.ts';
import type { Logger } from './lib/logger.ts';

export interface LiveConfigTools {
  readonly envFile: string;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly log: Logger;
  /** Loads the manifest anew and takes it over. @throws ConfigError when it is refused */
  readonly applyManifest: (settings: Settings, dotenvText: string) => Promise<void>;
  /** Takes over settings that need no restart. */
  readonly applySettings: (settings: Settings, keys: readonly string[]) => void;
  readonly onRefused: (detail: string) => void;
}

/** Edits of the manifest and of .env while the daemon runs: taken over whole, or refused whole and the old ones kept. */
export class LiveConfig {
  readonly #tools: LiveConfigTools;
  readonly #lane = new Lane();
  #settings: Settings;
  #dotenvText: string;

  constructor(tools: LiveConfigTools, settings: Settings, dotenvText: string) {
    this.#tools = tools;
    this.#settings = settings;
    this.#dotenvText = dotenvText;
  }

  manifestEdited(): Promise<void> {
    return this.#lane.run(() => this.#refusable(() => this.#tools.applyManifest(this.#settings, this.#dotenvText)));
  }

  /** The manifest may read any key of .env, so that it is looked at again as well. */
  envEdited(): Promise<void> {
    return this.#lane.run(() =>
      this.#refusable(async () => {
        const { envFile, environment, log } = this.#tools;
        const text = await readDotenv(envFile);
        const settings = loadSettings(environment, text);
        const { live, restartNeeded } = diffSettings(this.#settings, settings);
        for (const key of restartNeeded) log.warn(`restart needed: ${key}`);
        if (live.length > 0) log.info(`${live.join(', ')} changed and ${live.length > 1 ? 'are' : 'is'} applied`);
        this.#tools.applySettings(settings, live);
        await this.#tools.applyManifest(this.#settings, text);
        this.#dotenvText = text;
      }),
    );
  }

  async #refusable(edit: () => Promise<void>): Promise<void> {
    try {
      await edit();
    } catch (error) {
      this.#tools.log.error(`an edit is refused, the old configuration goes on: ${messageOf(error)}`);
      this.#tools.onRefused(messageOf(error));
    }
  }
}

/** The text of .env; empty when there is none. */
export async function readDotenv(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw error;
  }
}
