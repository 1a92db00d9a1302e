import type { AddressInfo, Server } from 'node:net';
import { CodedError } from './coded-error.ts';

export interface BindOptions {
  readonly address: string;
  /** 0 lets the system choose. */
  readonly port: number;
  /** The setting that says which port, for the error message. */
  readonly setting: string;
}

/**
 * Makes a server listen and returns the port.
 * @throws CodedError `port_taken`, `port_forbidden`, `address_unavailable` or `listen_failed`, saying what can be done.
 */
export function bind(server: Server, options: BindOptions): Promise<number> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException): void => {
      server.off('listening', onListening);
      reject(explain(error, options));
    };
    const onListening = (): void => {
      server.off('error', onError);
      resolve((server.address() as AddressInfo).port);
    };
    server.once('error', onError);
    server.once('listening', onListening);
    server.listen({ host: options.address, port: options.port });
  });
}

function explain(error: NodeJS.ErrnoException, { address, port, setting }: BindOptions): CodedError {
  const where = `${address}:${port}`;
  const cause = { cause: error };
  if (error.code === 'EADDRINUSE') {
    const advice = `end it (\`ss -ltnp 'sport = :${port}'\` names it), or set ${setting} to a free port`;
    return new CodedError('port_taken', `${where} is taken by another process: ${advice}.`, cause);
  }
  if (error.code === 'EACCES') return new CodedError('port_forbidden', forbidden(where, port, setting), cause);
  if (error.code === 'EADDRNOTAVAIL') {
    return new CodedError(
      'address_unavailable',
      `${where}: this machine has no such address. Set LOCAL_IP to one it has.`,
      cause,
    );
  }
  return new CodedError('listen_failed', `Listening on ${where} failed: ${error.message}`, cause);
}

function forbidden(where: string, port: number, setting: string): string {
  return [
    `This user may not listen on ${where}. Do one of these:`,
    `  sudo setcap cap_net_bind_service=+ep "$(readlink -f "$(command -v node)")"`,
    `  sudo sysctl net.ipv4.ip_unprivileged_port_start=${port}`,
    `  set ${setting} to a port above 1023`,
  ].join('\n');
}
