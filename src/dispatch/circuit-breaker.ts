import type { Clock } from '../lib/clock.ts';
import type { Verdict } from '../seam/control-link.ts';

/** Each state carries its own data: how many failures in a row, until when it stays open, whether the one probe is out. */
type BreakerState =
  | { readonly kind: 'closed'; readonly failures: number }
  | { readonly kind: 'open'; readonly untilMs: number }
  | { readonly kind: 'half-open'; readonly probing: boolean };

export interface BreakerLimits {
  /** Failures in a row that trip it. */
  readonly failures: number;
  readonly openForMs: number;
}

export interface BreakerEvents {
  onChange(open: boolean): void;
  /** What a request told about the instance, where it matters to the breakers that others have of it. */
  onVerdict(verdict: Verdict): void;
}

/** Keeps requests from an instance that keeps failing them; after `openForMs` one request probes whether it is well again. */
export class CircuitBreaker {
  #state: BreakerState = { kind: 'closed', failures: 0 };
  readonly #clock: Clock;
  readonly #events: BreakerEvents;
  limits: BreakerLimits;

  constructor(clock: Clock, limits: BreakerLimits, events: BreakerEvents) {
    this.#clock = clock;
    this.limits = limits;
    this.#events = events;
  }

  get state(): BreakerState['kind'] {
    return this.#state.kind;
  }

  /** Whether a request may be sent now. Asking changes nothing but an open breaker whose time is up. */
  get available(): boolean {
    if (this.#state.kind === 'closed') return true;
    if (this.#state.kind === 'open' && this.#clock.now() >= this.#state.untilMs) {
      this.#state = { kind: 'half-open', probing: false };
    }
    return this.#state.kind === 'half-open' && !this.#state.probing;
  }

  /** Milliseconds until a request may be tried; 0 when it may be now. */
  get retryAfterMs(): number {
    return this.#state.kind === 'open' ? Math.max(0, this.#state.untilMs - this.#clock.now()) : 0;
  }

  /** A request is being sent. */
  begin(): void {
    if (this.#state.kind === 'half-open') this.#state = { kind: 'half-open', probing: true };
  }

  succeed(): void {
    if (this.#state.kind === 'closed') {
      if (this.#state.failures === 0) return;
      this.#state = { kind: 'closed', failures: 0 };
      this.#events.onVerdict('served');
    }
    // A request that was sent before the breaker opened proves nothing about now.
    if (this.#state.kind !== 'half-open') return;
    this.#close();
    this.#events.onVerdict('recovered');
  }

  /** A response has begun. Its content may go on for hours (an event stream, a WebSocket): the others need not wait for its end. */
  answered(): void {
    if (this.#state.kind === 'half-open') this.succeed();
  }

  fail(): void {
    if (this.#state.kind === 'open') return;
    this.#events.onVerdict('failed');
    this.#countFailure();
  }

  /** What a request through another proxy process told counts as if it had been one of ours. */
  learn(verdict: Verdict): void {
    const { kind } = this.#state;
    if (verdict === 'recovered' && kind !== 'closed') this.#close();
    else if (verdict === 'failed' && kind !== 'open') this.#countFailure();
    else if (verdict !== 'failed' && kind === 'closed') this.#state = { kind: 'closed', failures: 0 };
  }

  /** The request ended without telling anything about the instance (the client left): a probe may be sent again. */
  forget(): void {
    if (this.#state.kind === 'half-open') this.#state = { kind: 'half-open', probing: false };
  }

  #countFailure(): void {
    const failures = this.#state.kind === 'closed' ? this.#state.failures + 1 : this.limits.failures;
    if (failures < this.limits.failures) {
      this.#state = { kind: 'closed', failures };
      return;
    }
    const again = this.#state.kind === 'half-open';
    this.#state = { kind: 'open', untilMs: this.#clock.now() + this.limits.openForMs };
    if (!again) this.#events.onChange(true);
  }

  #close(): void {
    this.#state = { kind: 'closed', failures: 0 };
    this.#events.onChange(false);
  }
}
