import { z } from 'zod';
import type { EventRecord, SampleRecord, ServiceRecord, SessionRecord } from '../fleet/state-store.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import { SERVICE_STATUSES } from '../seam/fleet-view.ts';

/** A record as plain data, with the version of its shape in `v`. */
export type Shape = Record<string, unknown>;

/** Writes records with the version of their shape, and reads what this or an older release wrote. */
class RecordCodec<T extends object> {
  readonly #schema: z.ZodType<T>;
  readonly #upgrades: readonly ((old: Shape) => Shape)[];

  /**
   * @param upgrades how each older shape becomes the one after it: the n-th entry makes version n + 1 out of version n.
   * A record without `v` counts as version 0
   */
  constructor(schema: z.ZodType<T>, upgrades: readonly ((old: Shape) => Shape)[]) {
    this.#schema = schema;
    this.#upgrades = upgrades;
  }

  encode(record: T): Shape {
    return { v: this.#upgrades.length, ...record };
  }

  /** @throws CodedError `record_unreadable` */
  decode(read: unknown): T {
    try {
      return this.#schema.parse(this.#upgraded(read));
    } catch (error) {
      const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
      throw new CodedError('record_unreadable', reason, { cause: error });
    }
  }

  #upgraded(read: unknown): Shape {
    if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('it is not a JSON object');
    const { v = 0, ...shape } = read as Shape;
    if (typeof v !== 'number' || !Number.isInteger(v) || v < 0) throw new Error('its version is not a whole number');
    const current = this.#upgrades.length;
    if (v > current) {
      throw new Error(`it has version ${v} and this release reads up to ${current}: a newer release wrote it`);
    }
    return this.#upgrades.slice(v).reduce<Shape>((older, upgrade) => upgrade(older), shape);
  }
}

const instance = z.object({
  id: z.string(),
  state: z.string(),
  since: z.string(),
  upstream: z.string().exactOptional(),
});

const service = z.object({
  _id: z.string().min(1),
  routes: z.array(z.string()),
  status: z.enum(SERVICE_STATUSES),
  desired: z.int().nonnegative(),
  instances: z.array(instance),
  rev: z.int().nonnegative(),
  updatedAt: z.string(),
  proxyId: z.string(),
});

const session = z.object({
  _id: z.string().min(1),
  service: z.string(),
  instanceId: z.string(),
  clientHint: z.string(),
  createdAt: z.string(),
  lastSeenAt: z.string(),
  expiresAt: z.string(),
});

const event = z.object({
  _id: z.string().min(1),
  service: z.string(),
  at: z.string(),
  specversion: z.string(),
  id: z.string(),
  source: z.string(),
  type: z.string(),
  subject: z.string(),
  time: z.string(),
  data: z.record(z.string(), z.unknown()),
});

const sample = z.object({
  service: z.string(),
  instance: z.string(),
  at: z.string(),
  cpu: z.number().nullable(),
  memory: z.number().nullable(),
  inFlight: z.number().nonnegative(),
});

const unchanged = (old: Shape): Shape => old;

/** Version 0 knew neither instances nor the proxy that wrote it. */
export const serviceCodec = new RecordCodec<ServiceRecord>(service, [
  (old) => ({ instances: [], proxyId: '', ...old }),
]);
export const sessionCodec = new RecordCodec<SessionRecord>(session, [unchanged]);
export const eventCodec = new RecordCodec<EventRecord>(event, [unchanged]);
export const sampleCodec = new RecordCodec<SampleRecord>(sample, [unchanged]);
