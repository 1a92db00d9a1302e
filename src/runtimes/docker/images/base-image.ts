import { readFile } from 'node:fs/promises';
import { basename } from 'node:path';
import { pack } from 'tar-stream';
import { messageOf } from '../../../lib/coded-error.ts';
import type { Logger } from '../../../lib/logger.ts';
import { SingleFlight } from '../../../lib/single-flight.ts';
import { RuntimeError, RuntimeUnavailable } from '../../../fleet/errors.ts';
import type { PrepareOptions, PrepareProgress } from '../../../fleet/runtime.ts';
import { basesOf } from './dockerfile-bases.ts';
import type { Engine } from '../engine/engine.ts';
import { wordsOf } from '../engine/errors.ts';
import { assembleHostBaseImage } from './host-base-image.ts';
import { findImage } from './image-store.ts';
import { pullImage } from './pull.ts';
import { RegistryCredentials } from './registry-credentials.ts';
import { runBuild } from './run-build.ts';

export interface BaseImageOptions {
  readonly engine: Engine;
  readonly log: Logger;
  /** The image that the example services start from: `reveille-base:20`. */
  readonly name: string;
  /** The absolute path of Dockerfile.base. */
  readonly dockerfile: string;
  readonly buildTimeoutMs: number;
  readonly credentials?: RegistryCredentials;
}

/** A registry that says nothing for this long is no registry. */
const PULL_SILENCE_MS = 30_000;

/** The image under the example services: there, or built from Dockerfile.base, or assembled from this host. */
export class BaseImage {
  readonly name: string;
  readonly #options: BaseImageOptions;
  readonly #credentials: RegistryCredentials;
  readonly #flight = new SingleFlight<undefined>();
  readonly #listeners = new Set<(progress: PrepareProgress) => void>();
  readonly #closing = new AbortController();

  constructor(options: BaseImageOptions) {
    this.name = options.name;
    this.#options = options;
    this.#credentials = options.credentials ?? new RegistryCredentials();
  }

  /** Whoever asks while it is being made shares the outcome. */
  async ensure({ onProgress }: Pick<PrepareOptions, 'onProgress'>): Promise<void> {
    this.#listeners.add(onProgress);
    try {
      await this.#flight.run(() => this.#make());
    } finally {
      this.#listeners.delete(onProgress);
    }
  }

  close(): void {
    this.#closing.abort();
  }

  #report(detail: string, phase: PrepareProgress['phase'] = 'build'): void {
    for (const listener of this.#listeners) listener({ phase, detail });
  }

  async #make(): Promise<undefined> {
    const { engine, dockerfile } = this.#options;
    if (await findImage(engine, this.name)) return;
    const text = await readFile(dockerfile, 'utf8').catch((error: unknown) => {
      const message = `${this.name} is absent and ${dockerfile}, from which it is built, cannot be read: ${messageOf(error)}`;
      throw new RuntimeError('image_missing', message, { cause: error });
    });
    const lacking = await this.#fetchAll(basesOf(text));
    if (lacking === undefined) await this.#build(text);
    else await this.#assemble(lacking);
  }

  /** Pulls what Dockerfile.base starts from; tells what could not be had. */
  async #fetchAll(bases: readonly string[]): Promise<string | undefined> {
    const { engine } = this.#options;
    for (const base of bases) {
      if (await findImage(engine, base)) continue;
      this.#report(`Pulling ${base} for ${this.name}`, 'pull');
      const onProgress = ({ detail, phase }: PrepareProgress): void => this.#report(detail, phase);
      try {
        const options = { onProgress, signal: this.#closing.signal, silenceMs: PULL_SILENCE_MS };
        await pullImage(engine, this.#credentials, base, options);
      } catch (error) {
        if (error instanceof RuntimeUnavailable || this.#closing.signal.aborted) throw error;
        return `${base} can be neither found nor pulled (${wordsOf(error)})`;
      }
    }
    return undefined;
  }

  async #build(text: string): Promise<void> {
    const { engine, dockerfile, buildTimeoutMs, log } = this.#options;
    log.info({ image: this.name }, `building ${this.name} from ${basename(dockerfile)}`);
    const tar = pack();
    tar.entry({ name: 'Dockerfile', mode: 0o644 }, text);
    tar.finalize();
    await runBuild(engine, {
      service: this.name,
      tar: tar as unknown as NodeJS.ReadableStream,
      options: { t: this.name, rm: true, forcerm: true },
      timeoutMs: buildTimeoutMs,
      onProgress: ({ detail }) => this.#report(detail),
      signal: this.#closing.signal,
    });
  }

  async #assemble(lacking: string): Promise<void> {
    const { engine, log } = this.#options;
    const obstacle = await this.#obstacle();
    if (obstacle !== undefined) {
      const remedy = `make the registry reachable, or load the image with 'docker load'`;
      throw new RuntimeError('image_missing', `${this.name} is absent: ${lacking}, and ${obstacle}; ${remedy}`);
    }
    this.#report(`Assembling ${this.name} from the Node of this host`);
    try {
      const { summary } = await assembleHostBaseImage(engine, this.name);
      const line = `${lacking}: ${this.name} was assembled from this host instead (${summary})`;
      log.warn({ image: this.name }, line);
      this.#report(line);
    } catch (error) {
      if (error instanceof RuntimeError) throw error;
      const full = /no space left on device/i.test(wordsOf(error));
      const message = `${this.name} is absent: ${lacking}, and it cannot be assembled from this host: ${wordsOf(error)}`;
      throw new RuntimeError(full ? 'disk_full' : 'image_missing', message, { cause: error });
    }
  }

  /** Why the programs of this host cannot run in the engine's containers. */
  async #obstacle(): Promise<string | undefined> {
    const { docker } = this.#options.engine;
    const { Os, Arch } = await this.#options.engine.call(() => docker.version());
    const arch = { x64: 'amd64', arm64: 'arm64', arm: 'arm', ppc64: 'ppc64le', s390x: 's390x' }[process.arch as string];
    if (process.platform === 'linux' && Os === 'linux' && Arch === arch) return undefined;
    return `the Node of this host (${process.platform}/${arch ?? process.arch}) cannot run on the engine (${Os}/${Arch})`;
  }
}
