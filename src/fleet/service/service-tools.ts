import type { ServiceSpec } from '../../config/service-spec.ts';
import type { Logger } from '../../lib/logger.ts';
import type { InstanceTools } from '../instance/instance-tools.ts';
import type { Member } from '../member.ts';

/** What services share. */
export interface ServiceTools extends InstanceTools {
  readonly log: Logger;
  /** Brings a dependency to where the dependent needs it. */
  readonly wakeDependency: (dependent: ServiceSpec, name: string) => Promise<void>;
  /** Tells the data half at once; returns the version that shows it. */
  readonly publish: (member: Member) => number;
  /** The same, but many in a row become one. */
  readonly publishSoon: (member: Member) => void;
  /** Whether those who wait may read the log lines of the start. */
  readonly showLogs: boolean;
}
