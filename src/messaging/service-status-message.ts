import type { InstanceRecord, ServiceRecord } from '../fleet/state-store.ts';
import type { ServiceStatus } from '../seam/fleet-view.ts';

/** The retained payload of `<root>/<service>/status`. */
export interface ServiceStatusMessage {
  readonly service: string;
  readonly status: ServiceStatus;
  readonly replicas: { readonly desired: number; readonly ready: number };
  readonly instances: readonly InstanceRecord[];
  /** ISO 8601. */
  readonly at: string;
}

/** What is remembered of a service, as its subscribers are told. */
export function toServiceStatusMessage(record: ServiceRecord): ServiceStatusMessage {
  const ready = record.instances.filter((instance) => instance.state === 'ready').length;
  return {
    service: record._id,
    status: record.status,
    replicas: { desired: record.desired, ready },
    instances: record.instances,
    at: record.updatedAt,
  };
}
