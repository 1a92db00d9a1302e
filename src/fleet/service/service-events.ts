import type { SleepTier } from '../../config/service-spec.ts';
import type { WakeTimings } from '../../seam/control-link.ts';
import type { Failure } from '../../seam/fleet-view.ts';
import type { EventBus } from '../event-bus.ts';
import type { ScaleReason, StopReason } from '../events.ts';

/** What one service tells the event bus of itself. */
export class ServiceEvents {
  readonly #service: string;
  readonly #bus: EventBus;

  constructor(service: string, bus: EventBus) {
    this.#service = service;
    this.#bus = bus;
  }

  failed({ code, detail, logTail }: Failure): void {
    this.#bus.emit('service.failed', this.#service, { code, detail, logTail });
  }

  awake(timings: WakeTimings): void {
    const rounded = Object.fromEntries(Object.entries(timings).map(([part, ms]) => [part, Math.round(ms as number)]));
    this.#bus.emit('service.awake', this.#service, rounded);
  }

  asleep(reason: StopReason, strategy: SleepTier['strategy']): void {
    this.#bus.emit('service.asleep', this.#service, { reason, strategy });
  }

  /** Nothing when the number is the same. */
  scaled(from: number, to: number, reason: ScaleReason, why: Record<string, unknown> = {}): void {
    if (from === to) return;
    this.#bus.emit(to > from ? 'scale.up' : 'scale.down', this.#service, { from, to, reason, ...why });
  }
}
