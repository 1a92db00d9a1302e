import Docker from 'dockerode';
import { parseDockerHost } from '../../../src/runtimes/docker/engine/docker-host.ts';
import { removeDockerProject } from '../servers/docker.ts';
import { ContainerEvents } from './container-events.ts';

const SERVICE_LABEL = 'dev.reveille.service';

/** What the engine says of one project's containers, asked past the daemon. */
export class DaemonContainers {
  readonly docker = new Docker(parseDockerHost(process.env['DOCKER_HOST']).options);
  readonly #project: string;
  readonly #events: ContainerEvents;

  constructor(project: string) {
    this.#project = project;
    this.#events = new ContainerEvents(this.docker, this.#labels().join());
  }

  /** Running or not, by name. */
  async list(service?: string): Promise<Docker.ContainerInfo[]> {
    const label = this.#labels(service);
    const found = await this.docker.listContainers({ all: true, filters: { label } });
    return found.sort((a, b) => (a.Names[0] ?? '').localeCompare(b.Names[0] ?? ''));
  }

  /** The only container of a service. */
  async one(service: string): Promise<Docker.Container> {
    const [first, ...others] = await this.list(service);
    if (!first || others.length > 0) throw new Error(`${service} has ${others.length + (first ? 1 : 0)} containers`);
    return this.docker.getContainer(first.Id);
  }

  async states(service: string): Promise<string[]> {
    return (await this.list(service)).map(({ State }) => State);
  }

  /** How often the engine has done something to containers of the service until now: `create`, `start`, `pause` ... */
  async count(service: string, event: string): Promise<number> {
    return (await this.history(service)).filter((each) => each === event).length;
  }

  /** What the engine has done to containers of the service until now, in its order. */
  async history(service: string): Promise<string[]> {
    const all = await this.#events.all();
    return all.flatMap(({ Action, Actor }) => (Actor?.Attributes?.[SERVICE_LABEL] === service ? (Action ?? []) : []));
  }

  /** Must come before what is to be counted. Does nothing where no engine answers. */
  async follow(): Promise<void> {
    await this.#events.follow().catch(() => undefined);
  }

  async removeAll(): Promise<void> {
    this.#events.end();
    await removeDockerProject(this.#project);
  }

  #labels(service?: string): string[] {
    const project = `dev.reveille.project=${this.#project}`;
    return service === undefined ? [project] : [project, `${SERVICE_LABEL}=${service}`];
  }
}
