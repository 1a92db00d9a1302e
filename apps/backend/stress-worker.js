/**
 * A worker thread that makes this process use one core for a share of the time. `workerData` is a shared Int32Array; its first
 * element is the intensity in percent and may change at any moment. The thread runs until it is terminated.
 *
 * It steers by the CPU time that the process has really used, not by the clock on the wall: on a busy machine it tries for longer.
 */
import { setPriority } from 'node:os';
import { workerData } from 'node:worker_threads';

/** Short enough that a reading of any second shows the intensity. */
const SLOT_MS = 20;
/** What could not be used in time is made up for up to here; more would be a burst at full load. */
const MAX_OWED_MS = 100;

// On Linux a priority belongs to the thread: whatever the intensity, the thread that answers requests comes first.
if (process.platform === 'linux') setPriority(2);

/** @type {unknown} */
const memory = workerData;
const control = new Int32Array(/** @type {SharedArrayBuffer} */ (memory));

let owedMs = 0;
let usedMs = cpuMs();
let slotEnds = performance.now();
for (;;) {
  const intensity = Math.min(100, Math.max(0, Atomics.load(control, 0)));
  owedMs = Math.min(MAX_OWED_MS, owedMs + (SLOT_MS * intensity) / 100);
  slotEnds = Math.max(slotEnds, performance.now()) + SLOT_MS;
  burn(usedMs + owedMs, slotEnds);
  const rest = slotEnds - performance.now();
  if (rest > 0) Atomics.wait(control, 1, 0, rest);
  const nowUsedMs = cpuMs();
  // Requests cost CPU time as well; they count, or the sum would be more than was asked for.
  owedMs = Math.max(-MAX_OWED_MS, owedMs - (nowUsedMs - usedMs));
  usedMs = nowUsedMs;
}

/**
 * @param {number} untilUsedMs   CPU time of the process
 * @param {number} deadline      on the clock of `performance.now()`
 */
function burn(untilUsedMs, deadline) {
  let value = 0;
  while (performance.now() < deadline && cpuMs() < untilUsedMs) {
    for (let round = 1; round <= 2_000; round++) value += Math.sqrt(round) * Math.sin(value);
  }
  return value;
}

/** All threads of the process together. */
function cpuMs() {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
