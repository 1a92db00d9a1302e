import bytes from 'bytes';
import ms from 'ms';
import type { StringValue } from 'ms';
import { parsedBy, Unacceptable } from './parsed-type.ts';

/** A Node timer that is set for longer than this fires at once. */
const LONGEST_MS = 2 ** 31 - 1;

/** The milliseconds of '800ms', '30s', '15m', '24h', '7d'. A plain number says no unit and is refused, except 0. */
export function parseDuration(value: unknown): number {
  if (value === 0 || value === '0') return 0;
  if (typeof value !== 'string' || !/^\d{1,15}(\.\d{1,6})?(ms|s|m|h|d)$/.test(value)) {
    throw new Unacceptable("must be a duration with its unit, such as '800ms', '30s', '15m', '24h' or '7d'");
  }
  const milliseconds = Math.round(ms(value as StringValue));
  if (milliseconds > LONGEST_MS) throw new Unacceptable("must be at most '24d', the longest that a timer can wait");
  return milliseconds;
}

/** The bytes of '512m', '2g', '16k' or a plain number of bytes, in powers of 1024 as Docker counts. */
export function parseSize(value: unknown): number {
  const match = /^(\d{1,15}(?:\.\d{1,6}(?=[kmgt]))?)([kmgt]?)(?:i?b)?$/i.exec(
    typeof value === 'number' ? String(value) : textOf(value),
  );
  const size = match && bytes.parse(`${match[1] ?? ''}${match[2] ?? ''}b`);
  if (size === null || !Number.isSafeInteger(size)) {
    throw new Unacceptable("must be a size such as '512m' or '2g', or a whole number of bytes");
  }
  return size;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

/** A duration, in milliseconds. */
export const durationMs = parsedBy(parseDuration);

/** A duration above zero, in milliseconds. */
export const someDurationMs = parsedBy((value) => above(0, parseDuration(value), 'must be longer than zero'));

/** A size, in bytes. */
export const sizeBytes = parsedBy(parseSize);

/** A size above zero, in bytes. */
export const someSizeBytes = parsedBy((value) => above(0, parseSize(value), 'must be larger than zero'));

function above(limit: number, value: number, complaint: string): number {
  if (value <= limit) throw new Unacceptable(complaint);
  return value;
}
