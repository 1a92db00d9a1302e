import type { EventBus } from '../fleet/event-bus.ts';
import type { EventType, FleetEvent } from '../fleet/events.ts';
import type { Logger } from '../lib/logger.ts';

const BAD: ReadonlySet<EventType> = new Set([
  'build.failed',
  'instance.died',
  'instance.oom',
  'instance.unhealthy',
  'service.failed',
  'breaker.opened',
  'cpu.warn',
  'cpu.panic',
  'memory.warn',
  'memory.panic',
  'manifest.refused',
]);
/** Steps on the way to something that is logged itself. */
const QUIET: ReadonlySet<EventType> = new Set([
  'wake.requested',
  'instance.starting',
  'instance.ready',
  'instance.stopped',
]);

/** Writes what happens in the fleet to the log, a line an event. */
export function logEvents(bus: EventBus, log: Logger): () => void {
  return bus.subscribe((event) => {
    const { type, service, instanceId, data } = event;
    const fields = { event: type, service, ...(instanceId !== undefined && { instance: instanceId }), ...data };
    if (BAD.has(type)) log.warn(fields, sentence(event));
    else if (QUIET.has(type)) log.debug(fields, sentence(event));
    else log.info(fields, sentence(event));
  });
}

function sentence({ type, service, instanceId, data }: FleetEvent): string {
  const [, what = type] = type.split('.');
  const subject = instanceId ?? service;
  const detail = typeof data['detail'] === 'string' ? data['detail'] : undefined;
  if (type === 'manifest.refused') return `an edit is refused, the old configuration goes on: ${detail ?? ''}`;
  const reason = typeof data['reason'] === 'string' ? ` (${data['reason']})` : '';
  const took = typeof data['totalMs'] === 'number' ? ` after ${data['totalMs']} ms` : '';
  return detail ?? `${subject}: ${type.startsWith('service.') ? what : type}${took}${reason}`;
}
