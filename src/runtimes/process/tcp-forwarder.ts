import { connect, createServer, type Server, type Socket } from 'node:net';
import { RuntimeError } from '../../fleet/errors.ts';

export interface TcpForwarderOptions {
  readonly service: string;
  readonly hostIp: string;
  readonly hostPort: number;
  /** The port on 127.0.0.1 that connections are led to. */
  readonly targetPort: number;
}

const MAX_CONNECTIONS = 1_024;

/** Leads a published port of this machine to a process. */
export class TcpForwarder {
  readonly #options: TcpForwarderOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(options: TcpForwarderOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (socket) => this.#forward(socket));
    this.#server.maxConnections = MAX_CONNECTIONS;
  }

  /** @throws RuntimeError `port_taken` */
  start(): Promise<void> {
    const { service, hostIp, hostPort } = this.#options;
    return new Promise((resolve, reject) => {
      const onError = (cause: Error): void => {
        const message = `${service}: its published port ${hostIp}:${hostPort} cannot be had (${cause.message}); end what uses it, or change \`publish\`.`;
        reject(new RuntimeError('port_taken', message, { cause }));
      };
      this.#server.once('error', onError);
      this.#server.listen({ host: hostIp, port: hostPort, exclusive: true }, () => {
        this.#server.off('error', onError);
        this.#server.on('error', () => undefined);
        resolve();
      });
    });
  }

  close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    return new Promise((resolve) => void this.#server.close(() => resolve()));
  }

  #forward(client: Socket): void {
    const target = connect({ host: '127.0.0.1', port: this.#options.targetPort, allowHalfOpen: true });
    this.#join(client, target);
    this.#join(target, client);
    client.pipe(target);
    target.pipe(client);
  }

  /** Neither side outlives the other; a half-close travels through the pipe. */
  #join(socket: Socket, other: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => other.destroy());
    socket.on('close', () => {
      this.#sockets.delete(socket);
      if (!other.writableEnded) other.destroy();
    });
  }
}
