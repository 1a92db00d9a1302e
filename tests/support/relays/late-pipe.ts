import { Transform } from 'node:stream';

/** Passes everything on, so many milliseconds late as is said at the time. */
export function latePipe(delayMs: () => number): Transform {
  return new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      if (delayMs() === 0) done(null, chunk);
      else setTimeout(() => done(null, chunk), delayMs());
    },
  });
}
