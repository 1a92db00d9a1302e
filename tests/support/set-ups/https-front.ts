import { request } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { TestAuthority } from '../test-certificate.ts';

/** What stands between a browser and a Unix socket: TLS, and a word on where the request came from. */
export class HttpsFront {
  readonly #server: Server;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async start(socketPath: string, host: string): Promise<HttpsFront> {
    const authority = await TestAuthority.make();
    const server = createServer(await authority.issue([host]), (incoming, outgoing) => {
      const { method, url: path, headers: given } = incoming;
      const headers = { ...given, 'x-forwarded-for': incoming.socket.remoteAddress };
      const forwarded = request({ socketPath, method, path, headers, agent: false }, (answer) => {
        outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
        answer.pipe(outgoing);
        outgoing.flushHeaders();
      });
      forwarded.on('error', () => outgoing.destroy());
      outgoing.on('close', () => forwarded.destroy());
      incoming.pipe(forwarded);
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return new HttpsFront(server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  async close(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }
}
