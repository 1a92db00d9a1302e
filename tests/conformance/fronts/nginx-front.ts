import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Front, FrontOptions, FrontSettings, OpenFront } from '../rig/front.ts';
import { commandVersion, spawnFront } from './spawned-front.ts';

/** nginx as a streaming reverse proxy with upstream keep-alive, as its documentation sets one up. */
export class NginxFront implements Front {
  readonly name = 'nginx';
  readonly http2 = true;

  version(): Promise<string | undefined> {
    return commandVersion('nginx', ['-v'], /nginx\/(\S+)/);
  }

  open({ upstreamPort, settings, certificate }: FrontOptions): Promise<OpenFront> {
    return spawnFront(certificate, async (folder, port) => {
      const file = join(folder, 'nginx.conf');
      await writeFile(file, configuration(folder, port, upstreamPort, settings));
      return { command: 'nginx', args: ['-e', 'stderr', '-p', folder, '-c', file] };
    });
  }
}

function configuration(folder: string, port: number, upstreamPort: number, settings: FrontSettings): string {
  const { headTimeoutMs = 60_000, bodyTimeoutMs = 60_000, responseTimeoutMs = 60_000 } = settings;
  const trusted = settings.trusted === true;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'];
  const tls = `ssl_certificate ${folder}/fullchain.pem; ssl_certificate_key ${folder}/key.pem;
    ssl_protocols TLSv1.2 TLSv1.3;`;
  const user = process.getuid?.() === 0 ? 'user root;' : '';
  return `daemon off; worker_processes 1; pid ${folder}/nginx.pid; error_log stderr crit; ${user}
events { worker_connections 1024; }
http {
  access_log off;
  ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
  client_header_timeout ${headTimeoutMs}ms; client_body_timeout ${bodyTimeoutMs}ms; send_timeout ${bodyTimeoutMs}ms;
  client_max_body_size 0; server_tokens off;
  map $http_upgrade $connection_upgrade { default upgrade; '' ''; }
  upstream app { server 127.0.0.1:${upstreamPort}; keepalive 16; }
  server { listen 127.0.0.1:${port} ssl http2 default_server; ${tls} server_name _; return 404; }
  server {
    listen 127.0.0.1:${port} ssl http2; ${tls} server_name app.test 127.0.0.1;
    location / {
      proxy_pass http://app; proxy_http_version 1.1; proxy_buffering off; proxy_request_buffering off;
      proxy_read_timeout ${responseTimeoutMs}ms;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade; proxy_set_header Connection $connection_upgrade;
      proxy_set_header X-Forwarded-For ${trusted ? '$proxy_add_x_forwarded_for' : '$remote_addr'};
      proxy_set_header X-Forwarded-Proto $scheme; proxy_set_header X-Forwarded-Host $http_host;
      proxy_set_header X-Real-IP $remote_addr; ${trusted ? '' : 'proxy_set_header Forwarded "";'}
    }
  }
}
`;
}
