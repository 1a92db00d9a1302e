import type { FleetEvent } from '../fleet/events.ts';

/** CloudEvents MQTT binding 1.0, section 3.2: the whole event is the payload. */
export const CLOUD_EVENT_CONTENT_TYPE = 'application/cloudevents+json; charset=utf-8';

/** A fact about the fleet in the JSON format of CloudEvents 1.0. */
export interface CloudEvent {
  readonly specversion: '1.0';
  /** Unique within `source`. */
  readonly id: string;
  /** `reveille/<proxyId>` */
  readonly source: string;
  readonly type: string;
  /** `service` or `service/instance` */
  readonly subject: string;
  /** RFC 3339. */
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly data: Readonly<Record<string, unknown>>;
}

export function toCloudEvent(event: FleetEvent, proxyId: string): CloudEvent {
  return {
    specversion: '1.0',
    id: event.id,
    // CloudEvents 3.1.1: the source is a URI reference.
    source: `reveille/${encodeURIComponent(proxyId)}`,
    type: event.type,
    subject: event.instanceId === undefined ? event.service : `${event.service}/${event.instanceId}`,
    time: new Date(event.atEpochMs).toISOString(),
    datacontenttype: 'application/json',
    data: event.data,
  };
}

/** The same fact as it stands on `<root>/network`. */
export interface NetworkMessage {
  readonly service: string;
  /** `event` and `action` are the two halves of the type: `cpu` and `panic` of `cpu.panic`. What `data` holds stands beside them. */
  readonly message: Readonly<Record<string, unknown>> & { readonly event: string; readonly action: string };
}

export function toNetworkMessage(event: FleetEvent): NetworkMessage {
  const [subject = event.type, ...rest] = event.type.split('.');
  const ours = {
    event: subject,
    action: rest.join('.'),
    id: event.id,
    ...(event.instanceId === undefined ? {} : { instance: event.instanceId }),
    at: new Date(event.atEpochMs).toISOString(),
  };
  // First, so that people read it first; once more, so that no field of the data stands in its place.
  return { service: event.service, message: Object.assign({}, ours, event.data, ours) };
}
