import { existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { DockerOptions } from 'dockerode';

type Environment = Readonly<Record<string, string | undefined>>;

export interface DockerHost {
  readonly options: DockerOptions;
  /** As people write it: `unix:///var/run/docker.sock`, `tcp://10.0.0.5:2376`. */
  readonly address: string;
  /** A socket of this machine: container addresses may be reachable from here. */
  readonly local: boolean;
}

function defaultSocket(): string {
  const desktop = join(homedir(), '.docker', 'run', 'docker.sock');
  return existsSync(desktop) ? desktop : '/var/run/docker.sock';
}

/** Client certificates as the docker CLI takes them. */
function tls(environment: Environment, port: string): DockerOptions {
  const path = environment['DOCKER_CERT_PATH'];
  if (!path) return { protocol: environment['DOCKER_TLS_VERIFY'] || port === '2376' ? 'https' : 'http' };
  const read = (name: string): Buffer => readFileSync(join(path, name));
  return { protocol: 'https', ca: read('ca.pem'), cert: read('cert.pem'), key: read('key.pem') };
}

function remote(url: URL, environment: Environment): DockerOptions {
  const host = url.hostname;
  if (url.protocol === 'ssh:') {
    const agent = environment['SSH_AUTH_SOCK'];
    return {
      protocol: 'ssh',
      host,
      port: url.port || 22,
      username: url.username,
      ...(agent && { sshOptions: { agent } }),
    };
  }
  const port = url.port || (environment['DOCKER_TLS_VERIFY'] ? '2376' : '2375');
  return { host, port, ...tls(environment, port) };
}

/** Reads DOCKER_HOST as the docker CLI does; nothing given = the local socket. Throws for what is no address. */
export function parseDockerHost(dockerHost: string | undefined, environment: Environment = process.env): DockerHost {
  const text = dockerHost?.trim() ? dockerHost.trim() : `unix://${defaultSocket()}`;
  for (const scheme of ['unix://', 'npipe://']) {
    if (!text.startsWith(scheme)) continue;
    const socketPath = text.slice(scheme.length) || defaultSocket();
    // docker-modem reads DOCKER_HOST of the process by itself; an explicit `host` keeps it from doing so.
    const options = { socketPath, host: undefined, protocol: undefined } as unknown as DockerOptions;
    return { options, address: `${scheme}${socketPath}`, local: scheme === 'unix://' };
  }
  const withScheme = text.includes('://') ? text : `tcp://${text}`;
  if (!URL.canParse(withScheme)) {
    throw new Error(
      `DOCKER_HOST is '${text}', which is no address such as unix:///var/run/docker.sock or tcp://10.0.0.5:2375`,
    );
  }
  const url = new URL(withScheme);
  return { options: remote(url, environment), address: `${url.protocol}//${url.host}`, local: false };
}
