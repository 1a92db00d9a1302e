import type { Socket } from 'node:net';

/** How much of an unwanted request body is read, and for how long, before the connection is cut. */
const MAX_LINGER_BYTES = 1_048_576;
const MAX_LINGER_MS = 2_000;

const NOTHING = new Uint8Array(0);

/**
 * RFC 9112 9.6: closing a connection while the client still sends makes its kernel throw away an answer that it has
 * not read yet. So after the answer only our half is closed, and what still arrives is read and dropped, within bounds,
 * past the parser: nothing that follows on this connection is served any more.
 */
export function lingerOnClose(socket: Socket): void {
  socket.destroySoon = lingerThis;
}

/** One function for all: the answer may be a WebSocket, which keeps its socket for days. */
function lingerThis(this: Socket): void {
  linger(this);
}

function linger(socket: Socket): void {
  if (socket.destroyed) return;
  let dropped = 0;
  const destroy = (): void => {
    clearTimeout(timer);
    socket.destroy();
  };
  const timer = setTimeout(destroy, MAX_LINGER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.once('end', destroy);
  socket.once('error', destroy);
  leaveParser(socket);
  socket.on('data', (chunk: Buffer) => {
    dropped += chunk.length;
    if (dropped > MAX_LINGER_BYTES) destroy();
  });
  socket.resume();
  socket.end();
}

/** What comes from now on does not reach the parser of node:http any more. */
export function leaveParser(socket: Socket): void {
  passThroughStream(socket);
  socket.removeAllListeners('data');
}

/**
 * node:http has the bytes of a connection given to its parser past the stream. When the answers of a pipeline are not
 * read, it pauses both; what TLS has already deciphered then reaches a parser that refuses it ("Paused"), and is lost.
 * A listener for data makes them go through the stream, which keeps them until it is resumed.
 */
export function passThroughStream(socket: Socket): void {
  socket.on('data', ignore);
  socket.off('data', ignore);
  // The stream believes that it is being read, which ends with what it is given: a socket that was paused would rest for ever.
  socket.push(NOTHING);
}

function ignore(): void {
  // What counts is that somebody listened: the parser has a listener of its own then.
}
