import type { Logger } from '../../lib/logger.ts';
import { RecordReader } from '../record-reader.ts';

export interface Row {
  readonly id: string;
  /** JSON. */
  readonly record: string;
}

export type RowReader<T> = RecordReader<Row, T>;

export function rowReader<T>(kind: string, codec: { decode(shape: unknown): T }, log: Logger): RowReader<T> {
  return new RecordReader(kind, ({ record }: Row) => codec.decode(JSON.parse(record)), log);
}
