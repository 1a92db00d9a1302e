import type { Histogram } from './histogram.ts';
import type { MetricName } from './metric-table.ts';

/** One line of a metric, or the lines of one histogram. */
export interface Series {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | Histogram;
}

/** A metric with all its series. They are made while they are read, for there may be very many. */
export interface Family {
  readonly metric: MetricName;
  readonly series: Iterable<Series>;
}
