import type { Writable } from 'node:stream';

/** Resolves when more may be written, or never again. */
export function drained(stream: Writable): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      stream.off('drain', settle);
      stream.off('close', settle);
      resolve();
    };
    stream.on('drain', settle);
    stream.on('close', settle);
    if (stream.destroyed || !stream.writableNeedDrain) settle();
  });
}
