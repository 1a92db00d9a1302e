import type { Readable } from 'node:stream';
import type { Reading } from './plan/exchange-plan.ts';
import { turns } from './turns.ts';

const PAUSE_TURNS = 3;

/** Makes whoever reads a stream pause after each piece. @returns how to stop that */
export function readAs(reading: Reading, stream: Readable): () => void {
  if (reading === 'at once') return () => undefined;
  let stopped = false;
  const onData = (): void => {
    stream.pause();
    void turns(PAUSE_TURNS).then(() => {
      if (!stopped) stream.resume();
    });
  };
  stream.on('data', onData);
  return () => {
    stopped = true;
    stream.off('data', onData);
    stream.resume();
  };
}
