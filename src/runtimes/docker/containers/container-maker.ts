import type { ContainerInspectInfo } from 'dockerode';
import type { ServiceSpec } from '../../../config/service-spec.ts';
import { RuntimeError } from '../../../fleet/errors.ts';
import { sleep, type Clock } from '../../../lib/clock.ts';
import { isOfProject, keyOf, LABELS } from '../../labels.ts';
import type { Engine } from '../engine/engine.ts';
import { refused, statusOf } from '../engine/errors.ts';
import { ownFiles } from '../images/own-files.ts';
import type { Containers } from './containers.ts';
import { createOptions, type CreateContext } from './create-options.ts';
import { putFiles } from './put-files.ts';

type Wanted = Omit<CreateContext, 'project'>;

const CREATE_TIMEOUT_MS = 60_000;
/** For the case that another daemon makes the same container at the same moment. */
const CREATE_ATTEMPTS = 5;
const CREATE_RETRY_MS = 50;
/** A daemon that has made a container and has not started it by then was ended in between. */
const MAKING_MS = 5_000;

export interface ContainerMakerTools {
  readonly engine: Engine;
  readonly project: string;
  readonly containers: Containers;
  readonly clock: Clock;
}

/** The only place that makes containers. The name of a container is the mutex between the daemons that want it. */
export class ContainerMaker {
  readonly #engine: Engine;
  readonly #project: string;
  readonly #containers: Containers;
  readonly #clock: Clock;

  constructor({ engine, project, containers, clock }: ContainerMakerTools) {
    this.#engine = engine;
    this.#project = project;
    this.#containers = containers;
    this.#clock = clock;
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
        await this.#containers.removeAsSeen(existing.Id, spec.name, why === 'outdated');
      }
      const made = await this.#make(spec, options, wanted);
      if (made) return made;
      // Somebody else makes it at this moment: the name is the mutex, and what they made is looked at next.
      await sleep(this.#clock, CREATE_RETRY_MS * attempt);
      existing = await this.#containers.inspect(options.name);
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
      existing = await this.#containers.inspect(found.Id);
    }
    return existing;
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
      return await this.#containers.inspect(id);
    } catch (error) {
      await this.#containers.removeAsSeen(id, service).catch(() => undefined);
      throw refused(error, { service, action: 'prepare the container', fallback: 'create_failed' });
    }
  }

  async #create(service: string, options: ReturnType<typeof createOptions>): Promise<string | undefined> {
    const { docker } = this.#engine;
    try {
      const call = (abortSignal: AbortSignal): ReturnType<typeof docker.createContainer> =>
        docker.createContainer({ ...options, abortSignal });
      return (await this.#engine.call(call, CREATE_TIMEOUT_MS)).id;
    } catch (error) {
      if (statusOf(error) === 409) return undefined;
      const fallback = statusOf(error) === 404 ? 'image_missing' : 'create_failed';
      throw refused(error, { service, action: 'create the container', fallback });
    }
  }

  #assertOwnName(container: ContainerInspectInfo, service: string, name: string): void {
    if (isOfProject(container.Config.Labels, this.#project) && keyOf(container.Config.Labels)) return;
    const remedy = `rename or remove it ('docker rename ${name} NEW'), or set PROJECT to another name`;
    const message = `a container that Reveille did not make for this project is called ${name}, which service ${service} needs; ${remedy}`;
    throw new RuntimeError('name_taken', message);
  }
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
  { imageId, network, networkId, proxyId }: Wanted,
): 'outdated' | 'elsewhere' | undefined {
  const current = existing.Config.Labels;
  if (current[LABELS.configHash] !== labels[LABELS.configHash] || existing.Image !== imageId) return 'outdated';
  const networks: Readonly<Record<string, { NetworkID: string } | undefined>> = existing.NetworkSettings.Networks;
  // One that was taken off its network is reached by nobody, and a new address is not given to what runs.
  if (existing.State.Running) return networks[network] ? undefined : 'outdated';
  if (existing.State.Dead || isBeingMade(existing, proxyId)) return 'outdated';
  if (current[LABELS.surroundings] !== labels[LABELS.surroundings]) return 'elsewhere';
  // Its network may have been removed and made anew under the same name; it would not start.
  const attached = Object.values(networks).map((network) => network?.NetworkID);
  return existing.State.Status === 'created' || attached.includes(networkId) ? undefined : 'outdated';
}
