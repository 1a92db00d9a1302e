/**
 * A worker thread that keeps one core busy for a share of the time. `workerData` is a shared Int32Array; its first element is the
 * intensity in percent and may change at any moment. The thread runs until it is terminated.
 */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';

/** Short enough that a reading of any second shows the intensity. */
const SLOT_MS = 20;

// On Linux a priority belongs to the thread: whatever the intensity, the thread that answers requests comes first.
if (process.platform === 'linux') setPriority(10);

const memory = /** @type {SharedArrayBuffer} */ (/** @type {unknown} */ (workerData));
const control = new Int32Array(memory);

let slotEnds = performance.now();
for (;;) {
  const now = performance.now();
  // Time that was lost to other processes is not made up for: that would be a burst at full load.
  slotEnds = Math.max(slotEnds + SLOT_MS, now);
  const intensity = Math.min(100, Math.max(0, Atomics.load(control, 0)));
  burn(now + (SLOT_MS * intensity) / 100);
  const rest = slotEnds - performance.now();
  if (rest > 0) Atomics.wait(control, 1, 0, rest);
}

/** @param {number} until  on the clock of `performance.now()` */
function burn(until) {
  let value = 0;
  while (performance.now() < until) {
    for (let round = 1; round <= 2_000; round++) value += Math.sqrt(round) * Math.sin(value);
  }
  return value;
}
