import type { ContainerInspectInfo } from 'dockerode';
import pLimit from 'p-limit';
import { sleep, type Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/coded-error.ts';
import type { ServiceSpec } from '../../../config/service-spec.ts';
import { RuntimeError } from '../../../fleet/errors.ts';
import { isOfProject, keyOf, LABELS, projectLabels } from '../../labels.ts';
import { createOptions, type CreateContext } from './create-options.ts';
import type { Engine } from '../engine/engine.ts';
import { refused, statusOf } from '../engine/errors.ts';
import { ownFiles } from '../images/own-files.ts';
import { putFiles } from './put-files.ts';

/** What a container that does not run leaves when it is started. */
export type Rest = 'pause' | 'stop';

export type Wanted = Omit<CreateContext, 'project'>;

/** Beyond the grace of a stop: how long the engine may take to do it, in milliseconds. */
const STOP_MARGIN_MS = 30_000;
const REMOVE_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
/** For the case that another daemon makes the same container at the same moment. */
const CREATE_ATTEMPTS = 5;
const CREATE_RETRY_MS = 50;
/** A daemon that has made a container and has not started it by then was ended in between. */
const MAKING_MS = 5_000;
const FREEZE_ATTEMPTS = 5;
/** Inspections under way at once. */
const PARALLEL = 16;

/** The containers of one project: the only place that makes, starts, stops and removes any, and only its own. */
export class Containers {
  readonly #engine: Engine;
  readonly #project: string;
  readonly #clock: Clock;

  constructor(engine: Engine, project: string, clock: Clock) {
    this.#engine = engine;
    this.#project = project;
    this.#clock = clock;
  }

  /** By id or name; undefined when it is gone. */
  async inspect(id: string): Promise<ContainerInspectInfo | undefined> {
    const container = this.#engine.docker.getContainer(id);
    try {
      return await this.#engine.call((abortSignal) => container.inspect({ abortSignal }));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  async list(): Promise<ContainerInspectInfo[]> {
    const label = Object.entries(projectLabels(this.#project)).map(([key, value]) => `${key}=${value}`);
    const options = { all: true, filters: { label } };
    const found = await this.#engine.call((abortSignal) =>
      this.#engine.docker.listContainers({ ...options, abortSignal }),
    );
    const ids = found.filter(({ Labels }) => isOfProject(Labels, this.#project)).map(({ Id }) => Id);
    const inspections = pLimit(PARALLEL);
    const inspected = await Promise.all(ids.map((id) => inspections(() => this.inspect(id))));
    return inspected.filter((container) => container !== undefined);
  }

  /**
   * The container as wanted: the one that is there if it was made from the same, else a new one.
   * @param found what has its name
   */
  async ensure(
    spec: ServiceSpec,
    wanted: Wanted,
    found: ContainerInspectInfo | undefined,
  ): Promise<ContainerInspectInfo> {
    const options = createOptions(spec, { ...wanted, project: this.#project });
    let existing = found;
    for (let attempt = 1; attempt <= CREATE_ATTEMPTS; attempt += 1) {
      existing &&= await this.#untilMade(existing, wanted.proxyId);
      if (existing) {
        this.#assertOwnName(existing, spec.name, options.name);
        const why = whyReplaced(existing, options.Labels ?? {}, wanted);
        if (why === undefined) return existing;
        // One that another daemon has started since it was looked at is good enough in its surroundings.
        await this.#remove(existing.Id, spec.name, why === 'outdated');
      }
      const made = await this.#make(spec, options, wanted);
      if (made) return made;
      // Somebody else makes it at this moment: the name is the mutex, and what they made is looked at next.
      await sleep(this.#clock, CREATE_RETRY_MS * attempt);
      existing = await this.inspect(options.name);
    }
    const message = `the container ${options.name} of service ${spec.name} is made and removed by somebody else again and again`;
    throw new RuntimeError('create_failed', message);
  }

  /**
   * One that another daemon is making at this moment is left to it: not all that it needs may be in it yet.
   * @returns what has become of it; one that nobody started in time was given up
   */
  async #untilMade(found: ContainerInspectInfo, proxyId: string): Promise<ContainerInspectInfo | undefined> {
    const end = this.#clock.now() + MAKING_MS;
    let existing: ContainerInspectInfo | undefined = found;
    while (existing && isBeingMade(existing, proxyId) && this.#clock.now() < end) {
      await sleep(this.#clock, CREATE_RETRY_MS);
      existing = await this.inspect(found.Id);
    }
    return existing;
  }

  /** Starts or unpauses; one that runs is left alone. */
  async start(id: string): Promise<{ container: ContainerInspectInfo; startedNow: boolean }> {
    const before = await this.#own(id);
    const service = serviceOf(before);
    if (!before)
      throw new RuntimeError(
        'start_failed',
        `the container ${id.slice(0, 12)} is gone; it is made anew at the next wake`,
      );
    let startedNow = !before.State.Running || before.State.Paused;
    try {
      if (startedNow) await this.#leave(before.State.Paused ? 'pause' : 'stop', id);
    } catch (error) {
      if (!isAlreadyThere(error))
        throw refused(error, { service, action: 'start the container', fallback: 'start_failed' });
      startedNow = false;
    }
    const container = await this.inspect(id);
    if (container) return { container, startedNow };
    throw new RuntimeError('start_failed', `the container of service ${service} was removed while it started`);
  }

  /**
   * The same for one that was seen at rest, and as one of this project, just now: without a look.
   * @returns `running` when somebody else has started it meanwhile, undefined when it is not like that any more
   */
  async startAsSeen(id: string, rest: Rest, service: string): Promise<'started' | 'running' | undefined> {
    try {
      await this.#leave(rest, id);
      return 'started';
    } catch (error) {
      const status = statusOf(error);
      if (status === 304) return 'running';
      // 500 is how the engine says that something was not paused.
      if (status === 404 || status === 409 || (status === 500 && rest === 'pause')) return undefined;
      throw refused(error, { service, action: 'start the container', fallback: 'start_failed' });
    }
  }

  #leave(rest: Rest, id: string): Promise<unknown> {
    const container = this.#engine.docker.getContainer(id);
    const work = (abortSignal: AbortSignal): Promise<unknown> =>
      rest === 'pause' ? container.unpause({ abortSignal }) : container.start({ abortSignal });
    return this.#engine.call(work, START_TIMEOUT_MS);
  }

  async pause(id: string): Promise<void> {
    const before = await this.#own(id);
    if (!before || before.State.Paused) return;
    const service = serviceOf(before);
    await this.#act(service, 'pause the container', (signal) => this.#freeze(id, signal), START_TIMEOUT_MS);
  }

  /** A kernel that is busy may not have frozen all processes by the time when the engine gives up. */
  async #freeze(id: string, abortSignal: AbortSignal): Promise<unknown> {
    const container = this.#engine.docker.getContainer(id);
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await container.pause({ abortSignal });
      } catch (error) {
        if (attempt === FREEZE_ATTEMPTS || !/unable to freeze/i.test(messageOf(error))) throw error;
      }
    }
  }

  async stop(id: string, graceMs: number): Promise<void> {
    const before = await this.#own(id);
    if (!before?.State.Running) return;
    const container = this.#engine.docker.getContainer(id);
    const service = serviceOf(before);
    // A frozen process cannot heed SIGTERM: without this it would be killed at the end of the grace.
    if (before.State.Paused)
      await this.#act(service, 'unpause the container', (abortSignal) => container.unpause({ abortSignal }));
    const seconds = Math.ceil(graceMs / 1000);
    const options = { t: seconds };
    await this.#act(
      service,
      'stop the container',
      (abortSignal) => container.stop({ ...options, abortSignal }),
      seconds * 1000 + STOP_MARGIN_MS,
    );
  }

  /** Running or not. Named volumes stay. */
  async remove(id: string): Promise<void> {
    const before = await this.#own(id);
    if (before) await this.#remove(before.Id, serviceOf(before));
  }

  /** Undefined when the name was taken in between, or the new container was taken away. */
  async #make(
    spec: ServiceSpec,
    options: ReturnType<typeof createOptions>,
    wanted: Wanted,
  ): Promise<ContainerInspectInfo | undefined> {
    const { name: service } = spec;
    const id = await this.#create(service, options);
    if (id === undefined) return undefined;
    try {
      await putFiles(this.#engine, id, await ownFiles(this.#engine, id, spec, wanted));
      return await this.inspect(id);
    } catch (error) {
      await this.#remove(id, service).catch(() => undefined);
      throw refused(error, { service, action: 'prepare the container', fallback: 'create_failed' });
    }
  }

  async #create(service: string, options: ReturnType<typeof createOptions>): Promise<string | undefined> {
    const { docker } = this.#engine;
    try {
      const call = (abortSignal: AbortSignal): ReturnType<typeof docker.createContainer> =>
        docker.createContainer({ ...options, abortSignal });
      return (await this.#engine.call(call, START_TIMEOUT_MS)).id;
    } catch (error) {
      if (statusOf(error) === 409) return undefined;
      const fallback = statusOf(error) === 404 ? 'image_missing' : 'create_failed';
      throw refused(error, { service, action: 'create the container', fallback });
    }
  }

  /** @param force also when it runs; otherwise one that runs stays */
  async #remove(id: string, service: string, force = true): Promise<void> {
    const container = this.#engine.docker.getContainer(id);
    const remove = async (abortSignal: AbortSignal): Promise<void> => {
      try {
        await container.remove({ force, v: true, abortSignal });
      } catch (error) {
        if (force || statusOf(error) !== 409) throw error;
      }
    };
    await this.#act(service, 'remove the container', remove, REMOVE_TIMEOUT_MS);
    if (!force && (await this.inspect(id))?.State.Running) return;
    // 409 means that somebody else is removing it: its name is free only when that is done.
    const end = this.#clock.now() + REMOVE_TIMEOUT_MS;
    while ((await this.inspect(id)) && this.#clock.now() < end) await sleep(this.#clock, 50);
  }

  /** Where the engine says that there is nothing to do, there was nothing to do. */
  async #act(
    service: string,
    action: string,
    work: (signal: AbortSignal) => Promise<unknown>,
    timeoutMs?: number,
  ): Promise<void> {
    try {
      await this.#engine.call(work, timeoutMs);
    } catch (error) {
      if (isAlreadyThere(error) || statusOf(error) === 404) return;
      throw refused(error, { service, action, fallback: 'internal' });
    }
  }

  /** The container if it is of this project; a foreign one is never touched. */
  async #own(id: string): Promise<ContainerInspectInfo | undefined> {
    const container = await this.inspect(id);
    if (!container || isOfProject(container.Config.Labels, this.#project)) return container;
    throw new RuntimeError(
      'internal',
      `the container ${container.Name} does not belong to project ${this.#project}: it is left alone`,
    );
  }

  #assertOwnName(container: ContainerInspectInfo, service: string, name: string): void {
    if (isOfProject(container.Config.Labels, this.#project) && keyOf(container.Config.Labels)) return;
    const remedy = `rename or remove it ('docker rename ${name} NEW'), or set PROJECT to another name`;
    const message = `a container that Reveille did not make for this project is called ${name}, which service ${service} needs; ${remedy}`;
    throw new RuntimeError('name_taken', message);
  }
}

function serviceOf(container: ContainerInspectInfo | undefined): string {
  return container?.Config.Labels[LABELS.service] ?? 'unknown';
}

/** 304: already started or stopped. 409 with these words: already paused, not running, being removed. */
function isAlreadyThere(error: unknown): boolean {
  if (statusOf(error) === 304) return true;
  return statusOf(error) === 409 && /already|not running|not paused|in progress/i.test(messageOf(error));
}

function isBeingMade({ State, Config }: ContainerInspectInfo, proxyId: string): boolean {
  return State.Status === 'created' && Config.Labels[LABELS.proxy] !== proxyId;
}

/**
 * Another configuration or image always means another container (`outdated`); other surroundings only where nothing
 * runs. Undefined for one that stays.
 */
function whyReplaced(
  existing: ContainerInspectInfo,
  labels: Readonly<Record<string, string>>,
  { imageId, networkId, proxyId }: Wanted,
): 'outdated' | 'elsewhere' | undefined {
  const current = existing.Config.Labels;
  if (current[LABELS.configHash] !== labels[LABELS.configHash] || existing.Image !== imageId) return 'outdated';
  if (existing.State.Running) return undefined;
  if (existing.State.Dead || isBeingMade(existing, proxyId)) return 'outdated';
  if (current[LABELS.surroundings] !== labels[LABELS.surroundings]) return 'elsewhere';
  // Its network may have been removed and made anew under the same name; it would not start.
  const networks: Readonly<Record<string, { NetworkID: string } | undefined>> = existing.NetworkSettings.Networks;
  const attached = Object.values(networks).map((network) => network?.NetworkID);
  return existing.State.Status === 'created' || attached.includes(networkId) ? undefined : 'outdated';
}
