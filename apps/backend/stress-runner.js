import { Worker } from 'node:worker_threads';
import { describeError, log } from '../shared/log.js';

/** @typedef {import('../shared/stress-plan.js').StressPlan} StressPlan */
/** @typedef {'finished' | 'stopped' | 'replaced' | 'failed'} Outcome */

/**
 * @typedef {object} Run
 * @property {string} id
 * @property {StressPlan} plan
 * @property {Date} startedAt
 * @property {number} begun      on the clock of `performance.now()`
 * @property {number} step       index of the step under way
 * @property {Worker} worker
 * @property {Int32Array} control
 * @property {NodeJS.Timeout} [timer]
 */

/** Makes real CPU load in a thread of its own, one run at a time: a new run takes the place of the one before. */
export class StressRunner {
  /** @type {Run | undefined} */
  #run;
  /** @type {ReturnType<typeof summarize> | undefined} */
  #last;
  #count = 0;
  /** @type {((status: ReturnType<StressRunner['status']>) => void)[]} */
  #listeners = [];

  /** @param {(status: ReturnType<StressRunner['status']>) => void} listener  hears of each start, step and end */
  onChange(listener) {
    this.#listeners.push(listener);
  }

  /**
   * @param {StressPlan} plan
   * @returns {{ id: string, replaced: string | null }}
   */
  start(plan) {
    const replaced = this.stop('replaced');
    const memory = new SharedArrayBuffer(8);
    const control = new Int32Array(memory);
    const worker = new Worker(new URL('./stress-worker.js', import.meta.url), { workerData: memory, execArgv: [] });
    const id = `run-${++this.#count}`;
    const run = { id, plan, startedAt: new Date(), begun: performance.now(), step: -1, worker, control };
    this.#run = run;
    worker.on('error', (error) => {
      log('The stress worker failed.', { run: id, error: describeError(error) });
      if (this.#run === run) this.stop('failed');
    });
    log('Stress begins.', { run: id, kind: plan.kind, steps: plan.steps.length, totalMs: plan.totalMs });
    this.#advance(run);
    return { id, replaced: replaced?.id ?? null };
  }

  /**
   * @param {Outcome} [outcome]
   * @returns {ReturnType<typeof summarize> | undefined} the run that this ended
   */
  stop(outcome = 'stopped') {
    const run = this.#run;
    if (!run) return undefined;
    this.#run = undefined;
    clearTimeout(run.timer);
    void run.worker.terminate();
    this.#last = summarize(run, outcome);
    log('Stress ends.', { run: run.id, outcome });
    this.#tell();
    return this.#last;
  }

  status() {
    const run = this.#run;
    return { running: run !== undefined, run: run ? describeRun(run) : null, last: this.#last ?? null };
  }

  async close() {
    const worker = this.#run?.worker;
    this.#listeners = [];
    this.stop();
    await worker?.terminate();
  }

  /** @param {Run} run */
  #advance(run) {
    run.step += 1;
    const step = run.plan.steps[run.step];
    if (!step) {
      this.stop('finished');
      return;
    }
    Atomics.store(run.control, 0, step.intensity);
    const stepEnds = run.plan.steps.slice(0, run.step + 1).reduce((sum, { durationMs }) => sum + durationMs, 0);
    // Counted from the beginning of the run, so that late timers do not add up.
    run.timer = setTimeout(() => this.#advance(run), Math.max(0, run.begun + stepEnds - performance.now()));
    this.#tell();
  }

  #tell() {
    const status = this.status();
    for (const listener of this.#listeners) listener(status);
  }
}

/** @param {Run} run */
function describeRun({ id, plan, startedAt, begun, step }) {
  return {
    id,
    kind: plan.kind,
    intensity: plan.steps[step]?.intensity ?? 0,
    step: step + 1,
    steps: plan.steps.length,
    startedAt: startedAt.toISOString(),
    endsAt: new Date(startedAt.getTime() + plan.totalMs).toISOString(),
    elapsedMs: Math.round(performance.now() - begun),
    totalMs: plan.totalMs,
  };
}

/**
 * @param {Run} run
 * @param {Outcome} outcome
 */
function summarize(run, outcome) {
  const { id, kind, startedAt, elapsedMs } = describeRun(run);
  return { id, kind, outcome, startedAt, elapsedMs };
}
