import type { ReadinessStrategy, ServiceSpec } from '../../config/service-spec.ts';
import { sleep, type Clock } from '../../lib/clock.ts';
import { messageOf } from '../../lib/coded-error.ts';
import { RuntimeError } from '../errors.ts';
import type { Prober, ProbeResult } from '../prober.ts';
import type { ObservedInstance, Runtime } from '../runtime.ts';

/** One try; the signal ends it. */
type Probe = (signal: AbortSignal) => Promise<ProbeResult>;

type Strategy = Exclude<ReadinessStrategy, { kind: 'auto' | 'docker' }>;

const FAST_INTERVAL_MS = 10;
const FAST_PHASE_MS = 2_000;
const SLOWEST_INTERVAL_MS = 100;
/** A try that hangs is given up after this long, so that one lost packet does not cost the whole wake. */
const ATTEMPT_MS = 5_000;
/** A command loses no packets, and may be slow by its nature. */
const COMMAND_ATTEMPT_MS = 60_000;

export interface ReadinessTools {
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly clock: Clock;
}

/** Decides when an instance serves: not when it runs, not when its port is open. */
export class Readiness {
  readonly #tools: ReadinessTools;

  constructor(tools: ReadinessTools) {
    this.#tools = tools;
  }

  /**
   * Probes until one passes. The signal ends the wait; its reason is what is thrown then.
   * @throws RuntimeError `probe_failed` after `readiness.retries` failed probes
   */
  async untilReady(spec: ServiceSpec, instance: ObservedInstance, signal: AbortSignal): Promise<void> {
    const strategy = decide(spec, instance);
    const probe = this.#probeOf(strategy, spec, instance);
    const attemptMs = strategy.kind === 'exec' ? COMMAND_ATTEMPT_MS : ATTEMPT_MS;
    const startedMs = this.#tools.clock.now();
    for (let tries = 1; ; tries += 1) {
      const result = await this.#attempt(probe, attemptMs, signal);
      signal.throwIfAborted();
      if (result.ok) return;
      if (spec.readiness.retries !== undefined && tries >= spec.readiness.retries) {
        throw new RuntimeError('probe_failed', `${spec.name} failed ${tries} readiness probes: ${result.reason}`);
      }
      const elapsedMs = this.#tools.clock.now() - startedMs;
      await sleep(this.#tools.clock, spec.readiness.intervalMs ?? intervalAfter(elapsedMs), signal);
      signal.throwIfAborted();
    }
  }

  /** One probe of an instance that is thought to be ready. */
  check(spec: ServiceSpec, instance: ObservedInstance, timeoutMs: number): Promise<ProbeResult> {
    return this.#attempt((signal) => this.#probeOf(decide(spec, instance), spec, instance)(signal), timeoutMs);
  }

  /**
   * Asks one that may still be paused, once. An answer over HTTP proves that it is not; a TCP connection does not, and a
   * command cannot be run before. Never rejects; false as well where it cannot be asked like that.
   */
  async answers(spec: ServiceSpec, instance: ObservedInstance, signal: AbortSignal): Promise<boolean> {
    try {
      const strategy = decide(spec, instance);
      if (spec.job || strategy.kind !== 'http') return false;
      return (await this.#attempt(this.#probeOf(strategy, spec, instance), ATTEMPT_MS, signal)).ok;
    } catch {
      return false;
    }
  }

  async #attempt(probe: Probe, timeoutMs: number, signal?: AbortSignal): Promise<ProbeResult> {
    const attempt = new AbortController();
    const giveUp = (): void => attempt.abort();
    const timer = this.#tools.clock.after(timeoutMs, giveUp);
    signal?.addEventListener('abort', giveUp, { once: true });
    if (signal?.aborted) giveUp();
    try {
      return await probe(attempt.signal);
    } catch (error) {
      return { ok: false, reason: messageOf(error) };
    } finally {
      timer.cancel();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  #probeOf(strategy: Strategy, spec: ServiceSpec, instance: ObservedInstance): Probe {
    const { runtime, prober } = this.#tools;
    const endpoint = instance.endpoints[spec.port];
    switch (strategy.kind) {
      case 'exec':
        // Whom no request can reach does not serve, however well it is.
        if (!endpoint && spec.routes.length > 0) break;
        return async (signal) => {
          const code = await runtime.exec(instance.runtimeId, strategy.command, signal);
          return code === 0 ? { ok: true } : { ok: false, reason: `${nameOf(strategy.command)} ended with ${code}` };
        };
      case 'http':
        if (!endpoint) break;
        return (signal) => prober.http(endpoint, strategy.path, signal, undefined, { protocol: spec.protocol });
      case 'tcp':
        if (!endpoint) break;
        return (signal) => prober.tcp(endpoint, signal);
    }
    throw new RuntimeError(
      'start_failed',
      `${spec.name} has no address for its port ${spec.port}; check \`port\`, and that nobody took it off its network`,
    );
  }
}

/** What the operator asked for, else HTTP for what is browsed, else the image's own check, else an open port. */
function decide(spec: ServiceSpec, { healthCommand }: ObservedInstance): Strategy {
  const { strategy } = spec.readiness;
  if (strategy.kind === 'docker') {
    if (healthCommand) return { kind: 'exec', command: healthCommand };
    const message = `${spec.name} asks for readiness { docker: true }, but its image has no HEALTHCHECK; add one or use { http: '/path' }`;
    throw new RuntimeError('probe_failed', message);
  }
  if (strategy.kind !== 'auto') return strategy;
  if (spec.routes.length > 0) return { kind: 'http', path: '/' };
  return healthCommand ? { kind: 'exec', command: healthCommand } : { kind: 'tcp' };
}

/** A command as people know it again: an argument may be a whole program. */
function nameOf(command: readonly string[]): string {
  const line = command.join(' ').replace(/\s+/g, ' ');
  return line.length > 80 ? `${line.slice(0, 80)}…` : line;
}

/** 10 ms for 2 s, then in proportion to the time waited, up to 100 ms. */
function intervalAfter(elapsedMs: number): number {
  if (elapsedMs < FAST_PHASE_MS) return FAST_INTERVAL_MS;
  return Math.min(SLOWEST_INTERVAL_MS, (FAST_INTERVAL_MS * elapsedMs) / FAST_PHASE_MS);
}
