import type { ServiceSpec } from '../../config/service-spec.ts';
import type { Failure } from '../../seam/fleet-view.ts';
import type { ActivityBoard } from '../activity-board.ts';
import type { Company } from '../company/company.ts';
import type { EventBus } from '../event-bus.ts';
import type { Exit } from '../runtime.ts';
import type { StartTools } from './start-attempt.ts';

export interface InstanceTools extends StartTools {
  readonly activity: ActivityBoard;
  readonly bus: EventBus;
  /** The other processes that may use it, stop it, start it. */
  readonly company: Pick<Company, 'inCharge' | 'confirm' | 'tellsOfStart' | 'depart' | 'starts' | 'want'>;
  /** How long a request may go on after its instance was told to leave. */
  readonly drainTimeoutMs: () => number;
}

/** Whose copy an instance is, and who is told. */
export interface InstanceOwner {
  readonly spec: ServiceSpec;
  /** The state changed; returns the fleet version that shows it. */
  changed(): number;
  /** It ended without having been asked to, after it had served for so long. Returns the failure, unless it ended well. */
  died(instanceId: string, exit: Exit, servedMs: number): Failure | undefined;
  /** What it wrote before it ended is known now; with what `died` has returned. */
  explained(failure: Failure | undefined, logTail: readonly string[]): void;
  /** One that was found running serves now; or it does not, for this reason. */
  adopted(instanceId: string, error?: unknown): void;
}
