import { dirname, resolve } from 'node:path';
import { watch, type FSWatcher } from 'chokidar';
import type { Clock, Timer } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

/** An editor writes a file in several steps; what comes within this time is one edit. */
const SETTLE_MS = 100;

export interface ConfigChange {
  readonly kind: 'manifest' | 'env';
}

export interface ConfigWatcherOptions {
  readonly manifestPath: string;
  /** The path of .env. */
  readonly envPath: string;
  readonly clock: Clock;
  readonly logger: Logger;
  onChange(change: ConfigChange): void;
}

/**
 * Tells when the manifest, a file it is made of, or .env was written, replaced, created or removed.
 * It watches folders rather than files, so that a file may be absent and may be replaced by a rename.
 */
export class ConfigWatcher {
  readonly #options: ConfigWatcherOptions;
  readonly #envPath: string;
  #manifestFiles: ReadonlySet<string>;
  #folders: ReadonlySet<string> = new Set();
  #watcher: FSWatcher | undefined;
  readonly #settling = new Map<ConfigChange['kind'], Timer>();

  constructor(options: ConfigWatcherOptions) {
    this.#options = options;
    this.#envPath = resolve(options.envPath);
    this.#manifestFiles = new Set([resolve(options.manifestPath)]);
  }

  /** Resolves once every later edit is noticed. */
  async start(): Promise<void> {
    this.#rememberFolders();
    const watcher = watch([...this.#folders], {
      depth: 0,
      ignoreInitial: true,
      ignored: (path) => !this.#folders.has(path) && !this.#isWatched(path),
    });
    this.#watcher = watcher;
    watcher.on('all', (_event, path) => this.#changed(path));
    watcher.on('error', (error) => {
      this.#options.logger.warn({ reason: messageOf(error) }, 'Edits of the configuration may go unnoticed');
    });
    await new Promise<void>((ready) => watcher.once('ready', ready));
  }

  /** Sets what the manifest is made of now, as `loadManifest` returned it; the manifest itself is always watched. */
  setManifestFiles(files: Iterable<string>): void {
    const before = new Set([...this.#manifestFiles, ...this.#folders]);
    this.#manifestFiles = new Set([resolve(this.#options.manifestPath), ...files]);
    this.#rememberFolders();
    this.#watcher?.add([...this.#folders, ...this.#manifestFiles].filter((path) => !before.has(path)));
  }

  async close(): Promise<void> {
    for (const timer of this.#settling.values()) timer.cancel();
    this.#settling.clear();
    await this.#watcher?.close();
  }

  #isWatched(path: string): boolean {
    return path === this.#envPath || this.#manifestFiles.has(path);
  }

  #rememberFolders(): void {
    this.#folders = new Set([this.#envPath, ...this.#manifestFiles].map((path) => dirname(path)));
  }

  #changed(path: string): void {
    const absolute = resolve(path);
    if (this.#watcher?.closed !== false || !this.#isWatched(absolute)) return;
    if (absolute === this.#envPath) this.#settle('env');
    if (this.#manifestFiles.has(absolute)) this.#settle('manifest');
  }

  #settle(kind: ConfigChange['kind']): void {
    this.#settling.get(kind)?.cancel();
    const timer = this.#options.clock.after(SETTLE_MS, () => {
      this.#settling.delete(kind);
      this.#options.onChange({ kind });
    });
    this.#settling.set(kind, timer);
  }
}
