import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Front, FrontOptions, FrontSettings, OpenFront } from '../rig/front.ts';
import { commandVersion, spawnFront } from './spawned-front.ts';

/** haproxy in HTTP mode with its defaults, which reuse upstream connections. */
export class HaproxyFront implements Front {
  readonly name = 'haproxy';
  readonly http2 = true;

  version(): Promise<string | undefined> {
    return commandVersion('haproxy', ['-v'], /version (\d[\d.]*)/);
  }

  open({ upstreamPort, settings, certificate }: FrontOptions): Promise<OpenFront> {
    return spawnFront(certificate, async (folder, port) => {
      const file = join(folder, 'haproxy.cfg');
      await writeFile(file, configuration(folder, port, upstreamPort, settings));
      return { command: 'haproxy', args: ['-db', '-f', file] };
    });
  }
}

function configuration(folder: string, port: number, upstreamPort: number, settings: FrontSettings): string {
  const { headTimeoutMs = 60_000, bodyTimeoutMs = 60_000, responseTimeoutMs = 60_000 } = settings;
  const own = ['X-Forwarded-For', 'Forwarded', 'X-Real-IP'].map((name) => `  http-request del-header ${name}`);
  return `global
  maxconn 1000
  ssl-default-bind-options ssl-min-ver TLSv1.2
defaults
  mode http
  timeout connect 5s
  timeout client ${bodyTimeoutMs}ms
  timeout server ${responseTimeoutMs}ms
  timeout http-request ${headTimeoutMs}ms
  timeout tunnel 60s
frontend front
  bind 127.0.0.1:${port} ssl crt ${folder}/both.pem alpn h2,http/1.1
  acl known req.hdr(host),field(1,:) -i app.test 127.0.0.1
  http-request return status 404 unless known
${settings.trusted === true ? '' : own.join('\n')}
  http-request set-header X-Forwarded-Proto https
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  option forwardfor
  option abortonclose
  default_backend app
backend app
  server app 127.0.0.1:${upstreamPort}
`;
}
