import type { ContainerInspectInfo } from 'dockerode';
import pLimit from 'p-limit';
import { sleep, type Clock } from '../../../lib/clock.ts';
import { messageOf } from '../../../lib/coded-error.ts';
import { RuntimeError } from '../../../fleet/errors.ts';
import { isOfProject, LABELS, projectLabels } from '../../labels.ts';
import type { Engine } from '../engine/engine.ts';
import { refused, statusOf } from '../engine/errors.ts';

/** What a container that does not run leaves when it is started. */
export type Rest = 'pause' | 'stop';

/** Beyond the grace of a stop: how long the engine may take to do it, in milliseconds. */
const STOP_MARGIN_MS = 30_000;
const REMOVE_TIMEOUT_MS = 60_000;
const START_TIMEOUT_MS = 60_000;
const FREEZE_ATTEMPTS = 5;
/** Inspections under way at once. */
const PARALLEL = 16;

/** The containers of one project: what there is, and from one state to another. None of another project is touched. */
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
    if (before) await this.removeAsSeen(before.Id, serviceOf(before));
  }

  /**
   * The same for one that was seen as one of this project just now: without a look. Gone when it resolves.
   * @param force also when it runs; otherwise one that runs stays
   */
  async removeAsSeen(id: string, service: string, force = true): Promise<void> {
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
}

function serviceOf(container: ContainerInspectInfo | undefined): string {
  return container?.Config.Labels[LABELS.service] ?? 'unknown';
}

/** 304: already started or stopped. 409 with these words: already paused, not running, being removed. */
function isAlreadyThere(error: unknown): boolean {
  if (statusOf(error) === 304) return true;
  return statusOf(error) === 409 && /already|not running|not paused|in progress/i.test(messageOf(error));
}
