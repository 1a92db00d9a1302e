import type { Logger } from '../../lib/logger.ts';
import type { Shape } from '../record-codec.ts';
import { RecordReader } from '../record-reader.ts';

/** A record as MongoDB has it: instants are dates, for indexes that end documents need them so. */
export function toDocument(shape: Shape, instants: readonly string[]): Shape {
  return { ...shape, ...Object.fromEntries(instants.map((field) => [field, new Date(String(shape[field]))])) };
}

/** The same, backwards. */
function fromDocument(document: object): Shape {
  return Object.fromEntries(
    Object.entries(document).map(([field, value]) => [field, value instanceof Date ? value.toISOString() : value]),
  );
}

export type DocumentReader<T> = RecordReader<object, T>;

export function documentReader<T>(kind: string, codec: { decode(shape: unknown): T }, log: Logger): DocumentReader<T> {
  return new RecordReader(kind, (document: object) => codec.decode(fromDocument(document)), log);
}
