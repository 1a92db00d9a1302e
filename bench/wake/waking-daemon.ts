import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, writeFile } from 'node:fs/promises';
import type { IncomingMessage } from 'node:http';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import type Docker from 'dockerode';
import { DaemonContainers } from '../../tests/support/set-ups/daemon-containers.ts';
import { fixtureImage } from '../../tests/support/servers/docker.ts';
import { COMMAND, daemonSettings } from '../contestants/reveille.ts';
import { CONTESTANT_CORE } from '../machine.ts';
import { ServerProcess } from '../server-process.ts';
import { HOST, type Site } from '../site.ts';
import { CONTAINER_PORT, WAYS, type Way } from './ways.ts';

interface Call {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly body?: unknown;
}

/** The production daemon on real containers, with one service for each way to be asleep. */
export class WakingDaemon {
  readonly #server: ServerProcess;
  readonly #containers: DaemonContainers;
  readonly #token: string;
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false, servername: HOST });

  private constructor(server: ServerProcess, project: string, token: string) {
    this.#server = server;
    this.#containers = new DaemonContainers(project);
    this.#token = token;
  }

  static async start(site: Site): Promise<WakingDaemon> {
    const project = `bench${randomBytes(4).toString('hex')}`;
    const token = randomBytes(24).toString('hex');
    const port = await site.newPort();
    const dir = join(site.dir, project);
    await mkdir(dir);
    await writeFile(join(dir, 'services-manifest.ts'), await manifest());
    const docker = { RUNTIME: 'docker', PROJECT: project, DOCKER_NETWORK: `${project}-net`, ADMIN_TOKEN: token };
    const env = { ...(await daemonSettings(site, dir, port)), ...docker };
    const process = { name: 'Reveille', command: COMMAND, core: CONTESTANT_CORE };
    return new WakingDaemon(await ServerProcess.start({ ...process, env, cwd: dir, port }), project, token);
  }

  /** @returns milliseconds until the first byte of the answer */
  async ask(way: Way): Promise<number> {
    const start = performance.now();
    const response = await this.#call({ host: `${way}.${HOST}`, method: 'GET', path: '/' });
    return response.atMs - start;
  }

  /** Resolves when the engine has put the container to sleep. */
  async sleep(way: Way): Promise<void> {
    const body = { strategy: way === 'paused' ? 'pause' : 'stop' };
    await this.#call({ host: `proxy.${HOST}`, method: 'POST', path: `/api/services/${way}/sleep`, body });
  }

  container(way: Way): Promise<Docker.Container> {
    return this.#containers.one(way);
  }

  async dispose(): Promise<void> {
    this.#agent.destroy();
    await this.#server.stop();
    await this.#containers.removeAll();
  }

  /** @throws Error for anything but a 200 */
  async #call({ host, method, path, body }: Call): Promise<{ readonly atMs: number }> {
    const headers = { host, authorization: `Bearer ${this.#token}`, 'content-type': 'application/json' };
    const options = { agent: this.#agent, host: '127.0.0.1', port: this.#server.port, method, path, headers };
    const sent = request(options).end(body === undefined ? undefined : JSON.stringify(body));
    const [response] = (await once(sent, 'response')) as [IncomingMessage];
    const atMs = performance.now();
    const text = (await response.setEncoding('utf8').toArray()).join('');
    if (response.statusCode !== 200) throw new Error(`${method} ${host}${path} was answered ${text}`);
    return { atMs };
  }
}

async function manifest(): Promise<string> {
  const image = await fixtureImage();
  const services = WAYS.map((way) => [way, { routes: [way], image, port: CONTAINER_PORT, sleep: { after: '1h' } }]);
  return `export default ${JSON.stringify({ services: Object.fromEntries(services) as unknown })};\n`;
}
