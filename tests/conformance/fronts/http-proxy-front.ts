import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import type { Front, FrontOptions, OpenFront } from '../rig/front.ts';
import { spawnFront } from './spawned-front.ts';

const PROGRAM = fileURLToPath(new URL('../../fixtures/http-proxy-front.mjs', import.meta.url));

/** http-proxy behind an HTTPS server of Node, with a keep-alive agent, in a process of its own. */
export class HttpProxyFront implements Front {
  readonly name = 'http-proxy';
  readonly http2 = false;

  async version(): Promise<string> {
    const text = await readFile(createRequire(import.meta.url).resolve('http-proxy/package.json'), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  open({ upstreamPort, settings, certificate }: FrontOptions): Promise<OpenFront> {
    return spawnFront(certificate, (folder, port) => {
      const options = JSON.stringify({ folder, port, upstreamPort, settings });
      return Promise.resolve({ command: process.execPath, args: [PROGRAM, options] });
    });
  }
}
