import { describeError } from '../shared/log.js';

const TICK_MS = 20;
/** A request may have to wake the backend first. */
const REQUEST_TIMEOUT_MS = 60_000;

/**
 * Sends requests at a steady pace, whatever the answers do, as callers from outside would; but never more at once than agreed.
 * What is due while all slots are taken is counted as skipped and not made up for.
 *
 * @param {object} load
 * @param {import('../shared/http-client.js').HttpClient} load.client
 * @param {string} load.url
 * @param {{ rps: number, durationMs: number }[]} load.stages
 * @param {number} load.concurrency
 * @param {import('./load-report.js').LoadReport} load.report
 * @param {AbortSignal} load.signal   ends it, and what is under way
 * @returns {Promise<void>} when the time is over and every request has ended
 */
export async function driveLoad({ client, url, stages, concurrency, report, signal }) {
  /** @type {Set<Promise<void>>} */
  const underWay = new Set();
  const send = async () => {
    report.countSent();
    try {
      report.countAnswer(await client.request(url, { timeoutMs: REQUEST_TIMEOUT_MS, signal }));
    } catch (error) {
      report.countError(signal.aborted ? 'stopped' : describeError(error));
    }
  };
  const begun = performance.now();
  let handled = 0;
  for (;;) {
    const elapsed = performance.now() - begun;
    const due = Math.floor(dueAfter(stages, elapsed)) - handled;
    const free = Math.min(due, concurrency - underWay.size);
    for (let index = 0; index < free; index++) {
      const request = send().finally(() => underWay.delete(request));
      underWay.add(request);
    }
    if (due > free) report.countSkipped(due - free);
    handled += due;
    if (signal.aborted || elapsed >= stages.reduce((sum, stage) => sum + stage.durationMs, 0)) break;
    await new Promise((resolve) => setTimeout(resolve, TICK_MS));
  }
  await Promise.all(underWay);
}

/**
 * @param {{ rps: number, durationMs: number }[]} stages
 * @param {number} elapsedMs
 * @returns {number} how many requests should have been sent by then
 */
export function dueAfter(stages, elapsedMs) {
  let left = elapsedMs;
  let due = 0;
  for (const { rps, durationMs } of stages) {
    if (left <= 0) break;
    due += (rps * Math.min(left, durationMs)) / 1000;
    left -= durationMs;
  }
  return due;
}
