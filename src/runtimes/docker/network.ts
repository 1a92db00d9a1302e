import type { NetworkInspectInfo } from 'dockerode';
import { RuntimeError } from '../../fleet/errors.ts';
import { projectLabels } from '../labels.ts';
import type { Engine } from './engine.ts';
import { statusOf, wordsOf } from './errors.ts';

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

  constructor(engine: Engine, name: string, project: string) {
    this.#engine = engine;
    this.#name = name;
    this.#project = project;
  }

  /** Asked each time: a network may be removed and made anew, with another gateway, while the daemon runs. */
  async ensure(): Promise<NetworkView> {
    const found = await this.#find();
    if (found) return found;
    try {
      const options = {
        Name: this.#name,
        CheckDuplicate: true,
        Driver: 'bridge',
        Labels: projectLabels(this.#project),
      };
      await this.#engine.call((abortSignal) => this.#engine.docker.createNetwork({ ...options, abortSignal }));
    } catch (error) {
      // 409: another daemon was quicker.
      if (statusOf(error) !== 409) throw this.#failure(error);
    }
    const made = await this.#find();
    if (!made) throw new RuntimeError('create_failed', `the Docker network ${this.#name} is absent after it was made`);
    return made;
  }

  async #find(): Promise<NetworkView | undefined> {
    try {
      const network = this.#engine.docker.getNetwork(this.#name);
      return view(await this.#engine.call(() => network.inspect()));
    } catch (error) {
      if (statusOf(error) === 404) return undefined;
      throw error;
    }
  }

  #failure(error: unknown): unknown {
    if (statusOf(error) === undefined) return error;
    const remedy = `remove networks that nobody uses ('docker network prune') or set DOCKER_NETWORK to one that exists`;
    const message = `the Docker network ${this.#name} cannot be made: ${wordsOf(error)}; ${remedy}`;
    return new RuntimeError('create_failed', message, { cause: error });
  }
}
