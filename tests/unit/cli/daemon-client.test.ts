import { mkdtempSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DaemonClient } from '../../../src/cli/daemon-client.ts';

describe('a client of a daemon that ends in the middle of an answer', () => {
  let server: Server;
  let client: DaemonClient;

  beforeEach(async () => {
    const folder = mkdtempSync(join(tmpdir(), 'reveille-client-'));
    const socketPath = join(folder, 's');
    server = createServer((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write('data: {"n":1}\n\n', () => response.destroy());
    });
    await new Promise<void>((listening) => server.listen(socketPath, listening));
    client = new DaemonClient({ socketPath, adminHost: 'proxy.test', token: 't', tokenFile: join(folder, 'token') });
  });
  afterEach(() => server.close());

  it('says so, and what to do, after the events that came', async () => {
    const seen: unknown[] = [];
    const listening = (async () => {
      for await (const message of client.listen({ path: '/api/events' })) seen.push(message);
    })();
    await expect(listening).rejects.toMatchObject({
      code: 'daemon_gone',
      message: expect.stringMatching(/broke off .* call this again/) as string,
    });
    expect(seen).toEqual([{ n: 1 }]);
  });

  it('says so when the rest of a single answer is missing', async () => {
    await expect(client.ask({ path: '/api/services' })).rejects.toMatchObject({ code: 'daemon_gone' });
  });
});
