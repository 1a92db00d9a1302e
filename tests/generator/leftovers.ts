import { collectGarbage } from '../support/collect-garbage.ts';

/** The process has these for as long as something is open or to come; what a test runner has besides is left out. */
const KINDS = /TCP|TLS|HTTP|Timeout|Immediate|Write|Shutdown/i;
/** Timers of the waiting itself, which come and go with each look. */
const TIMERS_OF_WAITING = 2;

/** What keeps the process busy more than at an earlier moment: sockets, timers, writes under way. */
export class Leftovers {
  readonly #before = resources();
  readonly #bufferBytesBefore = bufferBytes();

  /** Bytes in buffers above those of the earlier moment, once what nobody holds any more has been collected. */
  bufferBytesSince(): number {
    return bufferBytes() - this.#bufferBytesBefore;
  }

  /** Empty when nothing is left. */
  since(): Record<string, number> {
    const more = Object.entries(resources()).filter(([kind, count]) => {
      const spare = kind === 'Timeout' ? TIMERS_OF_WAITING : 0;
      return count > (this.#before[kind] ?? 0) + spare;
    });
    return Object.fromEntries(more);
  }
}

function bufferBytes(): number {
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

function resources(): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const kind of process.getActiveResourcesInfo()) if (KINDS.test(kind)) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}
