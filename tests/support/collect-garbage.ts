import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/** A full collection: what nobody keeps is gone after it, but for what was looked at in this turn of the loop. */
export function collectGarbage(): void {
  // Only with this flag a context that is made later has `gc`.
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
}
