import { z } from 'zod';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Failure, FleetUpdate } from '../seam/fleet-view.ts';
import {
  DURATION_BOUNDS_SECONDS,
  INCIDENTS,
  MAX_COUNTS,
  METHODS,
  OTHER_STATUS,
  type TrafficReport,
} from '../seam/traffic-report.ts';

/** Both sides must speak the same; raised whenever a message changes its meaning. */
export const PROTOCOL = 2;

/** What the data halves should know besides the fleet. */
export interface ControlFacts {
  /** What everyone who waits should be told. */
  readonly notice?: string | undefined;
  /** The address under which containers reach this machine: it is listened on as well. */
  readonly gateway?: string | undefined;
}

const name = z.string().min(1).max(300);
const count = z.int().min(0);
const id = z.int().min(0);

const sessionReport = z.strictObject({
  ...{ id: name, service: name, instanceId: name, clientHint: z.string().max(300) },
  seenAtEpochMs: z.number(),
});
const activityReport = z.strictObject({ service: name, instanceId: name, inFlight: count, seenVersion: count });

const requestCount = z
  .strictObject({
    ...{ service: z.string().max(300), method: z.enum(METHODS), count, seconds: z.number().min(0) },
    status: z.union([z.literal(OTHER_STATUS), z.int().min(100).max(599)]),
    buckets: z.array(count).length(DURATION_BOUNDS_SECONDS.length + 1),
  })
  // More durations than requests would be a histogram that cannot be.
  .refine((one) => one.buckets.reduce((sum, each) => sum + each, 0) <= one.count);
const incidentCount = z.strictObject({ service: z.string().max(300), incident: z.enum(INCIDENTS), count });
const trafficReport = z.strictObject({
  ...{ pid: z.int(), lagSeconds: z.number().min(0) },
  requests: z.array(requestCount).max(MAX_COUNTS),
  incidents: z.array(incidentCount).max(MAX_COUNTS),
}) satisfies z.ZodType<TrafficReport>;

/** From a data half to the control half. Whatever can be made of them must be harmless: they come from another process. */
const upMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('hello'), protocol: z.int(), pid: z.int() }),
  z.strictObject({ type: z.literal('listening'), port: z.int().min(1).max(65_535) }),
  z.strictObject({ type: z.literal('wake'), id, service: name }),
  z.strictObject({ type: z.literal('suspect'), id, service: name, instanceId: name }),
  z.strictObject({ type: z.literal('activity'), reports: z.array(activityReport) }),
  z.strictObject({ type: z.literal('seen'), version: count }),
  z.strictObject({ type: z.literal('breaker'), service: name, instanceId: name, open: z.boolean() }),
  z.strictObject({
    type: z.literal('verdict'),
    ...{ service: name, instanceId: name, verdict: z.enum(['failed', 'served', 'recovered']) },
  }),
  z.strictObject({ type: z.literal('waiting'), service: name, waiting: count }),
  z.strictObject({ type: z.literal('sessions'), reports: z.array(sessionReport) }),
  z.strictObject({ type: z.literal('traffic'), source: name, id, report: trafficReport }),
  z.strictObject({ type: z.literal('bye') }),
]);

export type UpMessage = z.output<typeof upMessage>;

/** Checked by a schema that knows only a part of it; the rest stays as it came. */
function partly<T>(schema: z.ZodType): z.ZodType<T> {
  return z.custom<T>((value) => schema.safeParse(value).success);
}

/** The control half is believed; only what would break a data half that is newer or older is looked at. */
const view = z.looseObject({ name, routes: z.array(z.unknown()), upstreams: z.array(z.unknown()) });
const timings = z.looseObject({ totalMs: z.number() });
const failure = z.looseObject({ code: z.string(), detail: z.string(), logTail: z.array(z.string()) });

const downMessage = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('refused'), reason: z.string() }),
  z.strictObject({ type: z.literal('facts'), notice: z.string().optional(), gateway: z.string().optional() }),
  z.strictObject({
    type: z.literal('update'),
    update: partly<FleetUpdate>(
      z.object({ version: count, complete: z.boolean(), services: z.array(view), removed: z.array(name) }),
    ),
  }),
  z.strictObject({ type: z.literal('woken'), id, timings: partly<WakeTimings>(timings) }),
  z.strictObject({ type: z.literal('failed'), id, failure: partly<Failure>(failure) }),
  z.strictObject({ type: z.literal('checked'), id }),
  z.strictObject({ type: z.literal('counted'), id }),
  z.strictObject({
    type: z.literal('verdict'),
    ...{ service: name, instanceId: name, verdict: z.enum(['failed', 'served', 'recovered']) },
  }),
  z.strictObject({ type: z.literal('waiting'), service: name, waiting: count }),
]);

export type DownMessage = z.output<typeof downMessage>;

/** Undefined for what nobody who speaks this protocol says. */
export function parseUp(value: unknown): UpMessage | undefined {
  return upMessage.safeParse(value).data;
}

/** Undefined for what nobody who speaks this protocol says. */
export function parseDown(value: unknown): DownMessage | undefined {
  return downMessage.safeParse(value).data;
}
