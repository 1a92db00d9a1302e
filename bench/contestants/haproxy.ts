import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Site } from '../site.ts';
import type { Contestant } from './contestant.ts';

export const haproxy: Contestant = {
  name: 'haproxy',
  abilities: ['proxy', 'http2', 'websocket'],
  program: 'haproxy',
  async prepare(site, dir, port) {
    const path = join(dir, 'haproxy.cfg');
    await writeFile(path, config(site, port));
    return { command: ['haproxy', '-db', '-f', path] };
  },
};

function config({ pemPath, upstreamPort, echoPort }: Site, port: number): string {
  return `global
  nbthread 1
  maxconn 8192
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  timeout connect 5s
  timeout client 600s
  timeout server 600s
  timeout tunnel 600s
  http-reuse always
frontend front
  bind 127.0.0.1:${port} ssl crt ${pemPath} alpn h2,http/1.1 backlog 4096
  use_backend echo if { path_beg /ws }
  default_backend files
backend files
  server upstream 127.0.0.1:${upstreamPort}
backend echo
  server upstream 127.0.0.1:${echoPort}
`;
}
