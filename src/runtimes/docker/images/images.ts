import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { messageOf } from '../../../lib/coded-error.ts';
import type { Logger } from '../../../lib/logger.ts';
import type { BuildSource, ImageSource, ServiceSpec } from '../../../config/service-spec.ts';
import { RuntimeError } from '../../../fleet/errors.ts';
import type { Prepared, PrepareOptions } from '../../../fleet/runtime.ts';
import { LABELS, projectLabels } from '../../labels.ts';
import type { BaseImage } from './base-image.ts';
import { BuildContextReader, type BuildContext } from './build-context.ts';
import { basesOf } from './dockerfile-bases.ts';
import type { Engine } from '../engine/engine.ts';
import { statusOf, unavailable, unreachable } from '../engine/errors.ts';
import { findImage } from './image-store.ts';
import { imageRepository } from '../containers/names.ts';
import { pullImage } from './pull.ts';
import { pullCancelled, pullError } from './pull-error.ts';
import type { RegistryCredentials } from './registry-credentials.ts';
import { runBuild } from './run-build.ts';

export interface ImagesOptions {
  readonly engine: Engine;
  readonly project: string;
  readonly credentials: RegistryCredentials;
  readonly baseImage: BaseImage;
  readonly buildTimeoutMs: number;
  /** Milliseconds without a word of the registry after which a pull counts as failed. */
  readonly pullSilenceMs: number;
  readonly log: Logger;
}

/** How many images of one service are kept: the one in use and the one to go back to. */
const KEPT_IMAGES = 2;

/** Makes the image of a service present, by building or pulling, and no more often than needed. */
export class Images {
  readonly #options: ImagesOptions;
  readonly #contexts = new BuildContextReader();

  constructor(options: ImagesOptions) {
    this.#options = options;
  }

  async prepare(spec: ServiceSpec, options: PrepareOptions): Promise<Prepared> {
    const { source, name } = spec;
    if (options.signal.aborted)
      throw new RuntimeError('internal', `the image of service ${name} is not wanted any more`);
    if (source.kind === 'build') return this.#build(spec, source, options);
    if (source.kind === 'image') return this.#fetch(name, source, options);
    const message = `service ${name} has neither 'image' nor 'build', so Docker cannot run it; add one of them`;
    throw new RuntimeError('not_runnable', message);
  }

  async #fetch(service: string, { image, pull }: ImageSource, options: PrepareOptions): Promise<Prepared> {
    const { engine, log } = this.#options;
    const present = await findImage(engine, image);
    if (present && pull !== 'always') return { imageId: present.Id, fresh: false };
    if (pull === 'never') {
      const message = `image ${image} of service ${service} is absent and 'pull' is 'never'; run 'docker pull ${image}'`;
      throw new RuntimeError('image_missing', message);
    }
    try {
      await this.#pull(service, image, options);
    } catch (error) {
      if (!present || options.signal.aborted) throw error;
      // A registry that is away must not keep a service asleep whose image is here.
      log.warn({ service, image }, `${messageOf(error)}; the image that is present is used`);
      return { imageId: present.Id, fresh: false };
    }
    const pulled = await findImage(engine, image);
    if (!pulled) throw new RuntimeError('pull_failed', `image ${image} of service ${service} is absent after its pull`);
    return { imageId: pulled.Id, fresh: pulled.Id !== present?.Id };
  }

  async #pull(service: string, image: string, options: PrepareOptions): Promise<void> {
    const { engine, credentials, pullSilenceMs } = this.#options;
    try {
      await pullImage(engine, credentials, image, { ...options, silenceMs: pullSilenceMs });
    } catch (error) {
      if (options.signal.aborted) throw pullCancelled(service, image, error);
      const fault = unreachable(error, engine.address);
      if (fault) throw unavailable(fault, error);
      throw pullError(service, image, error);
    }
  }

  async #build(spec: ServiceSpec, source: BuildSource, options: PrepareOptions): Promise<Prepared> {
    const { engine, project, buildTimeoutMs, log, credentials } = this.#options;
    const context = await this.#read(spec, source);
    const repository = imageRepository(project, spec.name);
    const tag = `${repository}:${context.hash.slice(0, 12)}`;
    const present = await findImage(engine, tag);
    if (present) return { imageId: present.Id, fresh: false };
    await this.#ensureBase(source, options);
    const { args, dockerfile, target } = source;
    await runBuild(engine, {
      ...options,
      service: spec.name,
      tar: context.tar(),
      timeoutMs: buildTimeoutMs,
      options: {
        t: tag,
        dockerfile,
        buildargs: { ...args },
        labels: { ...projectLabels(project), [LABELS.service]: spec.name },
        registryconfig: await credentials.all(),
        rm: true,
        forcerm: true,
        ...(target === undefined ? {} : { target }),
      },
    });
    const built = await findImage(engine, tag);
    if (!built) throw new RuntimeError('build_failed', `the build of service ${spec.name} ended without an image`);
    await this.#prune(spec.name, built.Id).catch((error: unknown) => {
      log.debug({ err: error, service: spec.name }, 'old images were not removed');
    });
    return { imageId: built.Id, fresh: true };
  }

  async #read(spec: ServiceSpec, source: BuildSource): Promise<BuildContext> {
    try {
      return await this.#contexts.read(spec, source);
    } catch (error) {
      const { context, dockerfile } = source;
      const message = `the build context ${context} of service ${spec.name} with ${dockerfile} cannot be read: ${messageOf(error)}`;
      throw new RuntimeError('build_failed', message, { cause: error });
    }
  }

  async #ensureBase({ context, dockerfile, args }: BuildSource, options: PrepareOptions): Promise<void> {
    const { baseImage } = this.#options;
    const text = await readFile(join(context, dockerfile), 'utf8');
    if (basesOf(text, args).includes(baseImage.name)) await baseImage.ensure(options);
  }

  /** Removes the images that older contexts of the service left behind. One that a container is made from stays. */
  async #prune(service: string, currentId: string): Promise<void> {
    const { docker } = this.#options.engine;
    const labels = { ...projectLabels(this.#options.project), [LABELS.service]: service };
    const label = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
    const images = await this.#options.engine.call((abortSignal) =>
      docker.listImages({ filters: { label }, abortSignal }),
    );
    const old = images.filter(({ Id }) => Id !== currentId).sort((left, right) => right.Created - left.Created);
    for (const { Id } of old.slice(KEPT_IMAGES - 1)) {
      await this.#options.engine
        .call((abortSignal) => docker.getImage(Id).remove({ abortSignal }))
        .catch((error: unknown) => {
          if (statusOf(error) === undefined) throw error;
        });
    }
  }
}
