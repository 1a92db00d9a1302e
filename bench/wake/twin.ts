import { get } from 'node:http';
import { setTimeout as pause } from 'node:timers/promises';
import Docker from 'dockerode';
import { parseDockerHost } from '../../src/runtimes/docker/engine/docker-host.ts';
import { CONTAINER_PORT, type Way } from './ways.ts';

/** Much closer than any proxy would ask, so that what is measured is the container. */
const PROBE_EVERY_MS = 2;

/** A container without a manager: image, command, environment, limits and network are those of another one. */
export class Twin {
  readonly #container: Docker.Container;
  #address = '';

  private constructor(container: Docker.Container) {
    this.#container = container;
  }

  static async of(original: Docker.Container): Promise<Twin> {
    const { Config, HostConfig } = await original.inspect();
    const { Image, Env, Cmd, User } = Config;
    const docker = new Docker(parseDockerHost(process.env['DOCKER_HOST']).options);
    const twin = new Twin(await docker.createContainer({ Image, Env, Cmd, User, HostConfig }));
    await twin.wake('stopped');
    return twin;
  }

  async sleep(way: Way): Promise<void> {
    if (way === 'paused') await this.#container.pause();
    else await this.#container.stop();
  }

  /** @returns milliseconds from the call to the engine to the first answer */
  async wake(way: Way): Promise<number> {
    const start = performance.now();
    if (way === 'paused') await this.#container.unpause();
    else {
      await this.#container.start();
      // A start may give it another address, for which a person would have to ask as well.
      const { NetworkSettings } = await this.#container.inspect();
      this.#address = Object.values(NetworkSettings.Networks)[0]?.IPAddress ?? '';
    }
    while (!(await answers(this.#address))) await pause(PROBE_EVERY_MS);
    return performance.now() - start;
  }

  async remove(): Promise<void> {
    await this.#container.remove({ force: true });
  }
}

function answers(host: string): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get({ host, port: CONTAINER_PORT, agent: false }, (response) => {
      response.resume();
      resolve(true);
    });
    request.once('error', () => resolve(false));
  });
}
