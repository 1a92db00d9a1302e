import { z } from 'zod';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { ServiceRecord } from '../fleet/state-store.ts';

const instance = z.object({
  id: z.string(),
  state: z.string(),
  since: z.string(),
  upstream: z.string().exactOptional(),
});

const service = z.object({
  _id: z.string().min(1),
  routes: z.array(z.string()),
  status: z.enum(['asleep', 'waking', 'awake', 'degraded', 'draining', 'failed', 'completed']),
  desired: z.int().nonnegative(),
  instances: z.array(instance),
  rev: z.int().nonnegative(),
  updatedAt: z.string(),
  proxyId: z.string(),
});

type Shape = Record<string, unknown>;

/**
 * How each older shape becomes the one after it: the n-th entry makes version n + 1 out of version n.
 * A record without `v` counts as version 0, which knew neither instances nor the proxy that wrote it.
 */
const upgrades: readonly ((old: Shape) => Shape)[] = [(old) => ({ instances: [], proxyId: '', ...old })];

/** What `encodeService` writes. */
const currentVersion = upgrades.length;

/** One line of JSON with the version of its shape in `v`. */
export function encodeService(record: ServiceRecord): string {
  return JSON.stringify({ v: currentVersion, ...record });
}

/**
 * Reads what this or an older release wrote.
 * @throws CodedError `record_unreadable`
 */
export function decodeService(text: string): ServiceRecord {
  try {
    return service.parse(upgraded(JSON.parse(text)));
  } catch (error) {
    const reason = error instanceof z.ZodError ? z.prettifyError(error) : messageOf(error);
    throw new CodedError('record_unreadable', reason, { cause: error });
  }
}

function upgraded(read: unknown): Shape {
  if (typeof read !== 'object' || read === null || Array.isArray(read)) throw new Error('it is not a JSON object');
  const { v = 0, ...shape } = read as Shape;
  if (typeof v !== 'number' || !Number.isInteger(v) || v < 0) throw new Error('its version is not a whole number');
  if (v > currentVersion) {
    throw new Error(`it has version ${v} and this release reads up to ${currentVersion}: a newer release wrote it`);
  }
  return upgrades.slice(v).reduce<Shape>((older, upgrade) => upgrade(older), shape);
}
