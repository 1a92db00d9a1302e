import { loadManifest, type LoadedManifest } from '../config/load-manifest.ts';
import { placeIn } from '../config/manifest/manifest-module.ts';
import { untilRestart } from '../config/settings/diff-settings.ts';
import { settingsEnvironment, type SettingsEnvironment } from '../config/settings/settings-environment.ts';
import type { Settings } from '../config/settings.ts';
import { adminHostOf } from './addresses.ts';

/** Reads the manifest at boot and after every edit, with the settings as they will be then. */
export class ManifestReader {
  readonly #environment: Readonly<Record<string, string | undefined>>;
  readonly #files = new Set<string>();
  #bootEnvironment: SettingsEnvironment | undefined;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    this.#environment = environment;
  }

  /** @throws ConfigError */
  read(
    settings: Settings,
    dotenvText: string,
    onFile: (path: string) => void = () => undefined,
  ): Promise<LoadedManifest> {
    const { manifest, domain, dockerFilePort: defaultPort } = settings;
    const edited = settingsEnvironment(this.#environment, dotenvText);
    this.#bootEnvironment ??= edited;
    const env = untilRestart(this.#bootEnvironment, edited);
    const met = (file: string): void => {
      this.#files.add(file);
      onFile(file);
    };
    return loadManifest(manifest, { domain, defaultPort, env, reservedHosts: [adminHostOf(settings)], onFile: met });
  }

  /**
   * Where in the manifest something was thrown that nobody caught, such as in a timer it has set; undefined when it was
   * thrown elsewhere. A refused manifest counts as well: its timers run on.
   */
  placeOf(error: unknown): string | undefined {
    return [...this.#files].map((file) => placeIn(file, error)).find((place) => place !== undefined);
  }
}
