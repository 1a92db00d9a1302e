import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { nginxFrame, type Site } from '../site.ts';
import type { Contestant } from './contestant.ts';

/** `http2 on` came with 1.25.1; the older form still works, with a warning. */
export const nginx: Contestant = {
  name: 'nginx',
  abilities: ['proxy', 'http2', 'websocket'],
  program: 'nginx',
  async prepare(site, dir, port) {
    const path = join(dir, 'nginx.conf');
    await writeFile(path, config(site, dir, port));
    return { command: ['nginx', '-p', dir, '-c', path] };
  },
};

function config({ certPath, keyPath, upstreamPort, echoPort }: Site, dir: string, port: number): string {
  return `${nginxFrame(dir)}
http {
  access_log off; keepalive_requests 1000000000; keepalive_timeout 600s;
  proxy_http_version 1.1; proxy_set_header Host $http_host; proxy_max_temp_file_size 0;
  client_body_temp_path ${dir}/body; proxy_temp_path ${dir}/temp;
  upstream files { server 127.0.0.1:${upstreamPort}; keepalive 256; keepalive_requests 1000000000; }
  server {
    listen 127.0.0.1:${port} ssl http2 backlog=4096;
    ssl_certificate ${certPath}; ssl_certificate_key ${keyPath}; ssl_protocols TLSv1.3;
    location / { proxy_set_header Connection ""; proxy_pass http://files; }
    location /ws {
      proxy_set_header Connection upgrade; proxy_set_header Upgrade $http_upgrade;
      proxy_read_timeout 600s; proxy_pass http://127.0.0.1:${echoPort};
    }
  }
}
`;
}
