import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Site } from '../site.ts';
import type { Contestant } from './contestant.ts';

export const caddy: Contestant = {
  name: 'Caddy',
  abilities: ['proxy', 'http2', 'websocket'],
  program: 'caddy',
  async prepare(site, dir, port) {
    const path = join(dir, 'Caddyfile');
    await writeFile(path, config(site, port));
    const env = { XDG_DATA_HOME: dir, XDG_CONFIG_HOME: dir };
    return { command: ['caddy', 'run', '--config', path, '--adapter', 'caddyfile'], env };
  },
};

function config({ certPath, keyPath, upstreamPort, echoPort }: Site, port: number): string {
  return `{
  admin off
  auto_https off
  servers {
    protocols h1 h2
  }
}
https://localhost:${port} {
  bind 127.0.0.1
  tls ${certPath} ${keyPath} {
    protocols tls1.3
  }
  reverse_proxy /ws 127.0.0.1:${echoPort}
  reverse_proxy 127.0.0.1:${upstreamPort} {
    transport http {
      keepalive_idle_conns_per_host 256
    }
  }
}
`;
}
