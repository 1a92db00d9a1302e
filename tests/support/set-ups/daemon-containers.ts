import Docker from 'dockerode';
import { parseDockerHost } from '../../../src/runtimes/docker/engine/docker-host.ts';
import { removeDockerProject } from '../servers/docker.ts';

/** What the engine says of one project's containers, asked past the daemon. */
export class DaemonContainers {
  readonly docker = new Docker(parseDockerHost(process.env['DOCKER_HOST']).options);
  readonly #project: string;
  readonly #since = Math.floor(Date.now() / 1000);

  constructor(project: string) {
    this.#project = project;
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
    const until = Date.now() / 1000;
    const filters = { type: ['container' as const], event: [event], label: this.#labels(service) };
    const stream = await this.docker.getEvents({ since: this.#since, until, filters });
    const text = (await (stream as unknown as AsyncIterable<Buffer> & { toArray(): Promise<Buffer[]> }).toArray()).join(
      '',
    );
    return text.split('\n').filter((line) => line.trim() !== '').length;
  }

  async removeAll(): Promise<void> {
    await removeDockerProject(this.#project);
  }

  #labels(service?: string): string[] {
    const project = `dev.reveille.project=${this.#project}`;
    return service === undefined ? [project] : [project, `dev.reveille.service=${service}`];
  }
}
