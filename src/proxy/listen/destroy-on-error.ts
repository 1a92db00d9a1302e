import type { Duplex } from 'node:stream';

/**
 * An error that nobody listens for would end the process. Whoever comes to have a socket asks for this; it is done once.
 * One function for all sockets, because one of its own would stay with each as long as it is open.
 */
export function destroyOnError(socket: Duplex): void {
  if (!socket.listeners('error').includes(destroyThis)) socket.on('error', destroyThis);
}

function destroyThis(this: Duplex): void {
  this.destroy();
}
