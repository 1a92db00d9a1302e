import { constants, type ClientHttp2Stream } from 'node:http2';
import { toFields } from '../http2-fields.ts';
import { HANG_MS } from '../patience.ts';
import type { ClientSaw } from './client-saw.ts';

const LOOK_EVERY_MS = 5;

/** Notes all that comes on a stream. @returns when it is closed */
export function watchStream(stream: ClientHttp2Stream, saw: ClientSaw, onChange: () => void): Promise<void> {
  stream.on('error', () => undefined);
  stream.on('headers', (fields) => saw.interim.push(Number(fields[':status'])));
  stream.on('continue', () => saw.interim.push(100));
  stream.on('response', (fields, flags, raw?: readonly string[]) => {
    saw.status = fields[':status'];
    saw.fields = toFields(raw);
    saw.endedWithHead = (flags & constants.NGHTTP2_FLAG_END_STREAM) !== 0;
    onChange();
  });
  stream.on('trailers', (_fields: unknown, _flags: unknown, raw?: readonly string[]) => (saw.trailers = toFields(raw)));
  stream.on('data', (chunk: Buffer) => {
    saw.content += chunk.toString('latin1');
    onChange();
  });
  stream.on('end', () => (saw.complete = saw.status !== undefined && !saw.left));
  letGo(stream);
  return closed(stream, saw, onChange);
}

/** Not `close`: that first ends the content, as if all had been said. */
export function leave(stream: ClientHttp2Stream, saw: ClientSaw): void {
  if (stream.closed) return;
  saw.left = true;
  stream.destroy(new Error('The client leaves.'));
}

/**
 * node:http2 puts off the close of a stream that was reset until all has left that was written, which it never will,
 * and tells nobody of the reset: it has to be looked for once the answer has ended.
 */
function letGo(stream: ClientHttp2Stream): void {
  const look = (): void => {
    if (stream.closed) stream.destroy();
  };
  stream.on('end', () => {
    const timer = setInterval(look, LOOK_EVERY_MS);
    stream.once('close', () => clearInterval(timer));
  });
}

function closed(stream: ClientHttp2Stream, saw: ClientSaw, onChange: () => void): Promise<void> {
  const timer = setTimeout(() => {
    saw.hangs = true;
    stream.destroy();
  }, HANG_MS);
  // What moves does not hang.
  stream.on('data', () => timer.refresh());
  return new Promise((resolve) => {
    stream.once('close', () => {
      clearTimeout(timer);
      // Node ends what can be read of a stream that was reset, too.
      if (stream.rstCode !== 0) saw.complete = false;
      onChange();
      resolve();
    });
  });
}
