import type { NetworkInspectInfo } from 'dockerode';
import { RuntimeError } from '../../../fleet/errors.ts';
import { SingleFlight } from '../../../lib/single-flight.ts';
import { isOfProject, projectLabels } from '../../labels.ts';
import type { Engine } from '../engine/engine.ts';
import { statusOf, wordsOf } from '../engine/errors.ts';

export interface NetworkView {
  readonly id: string;
  /** The address of the host on it, by which containers reach the daemon. */
  readonly gateway: string | undefined;
}

/** `172.18.0.1` for `172.18.0.0/16`: what the engine takes when the network names no gateway. */
function firstAddress(subnet: string | undefined): string | undefined {
  const [, prefix, last] = /^(\d+\.\d+\.\d+\.)(\d+)\/\d+$/.exec(subnet ?? '') ?? [];
  return prefix === undefined ? undefined : `${prefix}${Number(last) + 1}`;
}

function view({ Id, IPAM }: NetworkInspectInfo): NetworkView {
  // An IPv6 subnet may come first; host names of containers are given IPv4 addresses.
  const config = (IPAM?.Config ?? []).find(({ Subnet }) => !Subnet?.includes(':'));
  return { id: Id, gateway: config?.['Gateway'] ?? firstAddress(config?.['Subnet']) };
}

/** The network that the instances share. Made when it is absent; one that is there is used as it is, whoever made it. */
export class ProjectNetwork {
  readonly #engine: Engine;
  readonly #name: string;
  readonly #project: string;
  readonly #flight = new SingleFlight<NetworkView>();

  constructor(engine: Engine, name: string, project: string) {
    this.#engine = engine;
    this.#name = name;
    this.#project = project;
  }

  /** Asked each time: a network may be removed and made anew, with another gateway, while the daemon runs. */
  ensure(): Promise<NetworkView> {
    return this.#flight.run(() => this.#ensure());
  }

  async #ensure(): Promise<NetworkView> {
    const found = await this.find();
    if (found) return found;
    await this.#make();
    const made = await this.find();
    if (made) return made;
    throw new RuntimeError('create_failed', `the Docker network ${this.#name} is absent after it was made`);
  }

  /** Another daemon may be quicker, as far as the engine can tell. */
  async #make(): Promise<void> {
    const Labels = projectLabels(this.#project);
    const options = { Name: this.#name, CheckDuplicate: true, Driver: 'bridge', Labels };
    const { docker } = this.#engine;
    try {
      await this.#engine.call((abortSignal) => docker.createNetwork({ ...options, abortSignal }));
    } catch (error) {
      if (statusOf(error) !== 409) throw this.#failure(error);
    }
  }

  /**
   * The engine does not keep two daemons from making the name at the same moment: the older network is everybody's, and
   * the others go, which would make every container of the network ambiguous. One whose making is not over may be seen
   * only the next time.
   */
  async find(): Promise<NetworkView | undefined> {
    const filters = { name: [this.#name] };
    const { docker } = this.#engine;
    const found = await this.#engine.call((abortSignal) => docker.listNetworks({ filters, abortSignal }));
    const [oldest, ...others] = found
      .filter(({ Name }) => Name === this.#name)
      .sort((a, b) => a.Created.localeCompare(b.Created) || a.Id.localeCompare(b.Id));
    for (const { Id, Labels } of others) if (isOfProject(Labels, this.#project)) await this.#remove(Id);
    return oldest && view(oldest);
  }

  async #remove(id: string): Promise<void> {
    try {
      await this.#engine.call((abortSignal) => this.#engine.docker.getNetwork(id).remove({ abortSignal }));
    } catch (error) {
      // Gone already, or in use: then it is left alone.
      if (statusOf(error) !== 404 && statusOf(error) !== 403) throw this.#failure(error);
    }
  }

  #failure(error: unknown): unknown {
    if (statusOf(error) === undefined) return error;
    const remedy = `remove networks that nobody uses ('docker network prune') or set DOCKER_NETWORK to one that exists`;
    const message = `the Docker network ${this.#name} cannot be made: ${wordsOf(error)}; ${remedy}`;
    return new RuntimeError('create_failed', message, { cause: error });
  }
}
