import { setImmediate as nextTurn } from 'node:timers/promises';
import { Registry, type Metric } from 'prom-client';
import type { Family, Series } from './family.ts';
import { METRICS, PREFIX } from './metric-table.ts';

/** What a scrape is answered with. */
export interface Exposition {
  readonly contentType: string;
  readonly text: string;
}

interface Line {
  readonly metricName: string;
  /** Its own: the bound of a bucket. */
  readonly labels: { readonly le?: number | string };
  /** Those of all lines of a histogram are written once. */
  readonly sharedLabels: Series['labels'];
  readonly value: number;
}

const NONE = {};
const ABOVE = { le: '+Inf' };

/** So many lines are written without a pause: ten thousand services must not keep the process from all else. */
const LINES_AT_ONCE = 500;

/** Writes all families in the text format of Prometheus. */
export async function expose(families: readonly Family[]): Promise<Exposition> {
  const parts: string[] = [];
  for (const family of families) parts.push(...(await write(family)));
  return { contentType: Registry.PROMETHEUS_CONTENT_TYPE, text: `${parts.join('\n')}\n` };
}

async function write({ metric, series }: Family): Promise<string[]> {
  const { help, type } = METRICS[metric];
  const name = `${PREFIX}${metric}`;
  const parts: string[] = [];
  const flush = async (values: readonly Line[]): Promise<void> => {
    const registry = new Registry();
    // The library's own metrics count by themselves; one that was counted elsewhere has the shape of what it aggregates.
    registry.registerMetric({ name, get: () => ({ name, help, type, values }) } as unknown as Metric);
    const text = await registry.getSingleMetricAsString(name);
    parts.push(parts.length === 0 ? text : withoutHead(text));
    await nextTurn();
  };
  let lines: Line[] = [];
  for (const each of series) {
    lines.push(...linesOf(name, each));
    if (lines.length < LINES_AT_ONCE) continue;
    await flush(lines);
    lines = [];
  }
  if (lines.length > 0 || parts.length === 0) await flush(lines);
  return parts;
}

function linesOf(name: string, { labels, value }: Series): Line[] {
  if (typeof value === 'number') return [{ metricName: name, labels: NONE, sharedLabels: labels, value }];
  const bucket = `${name}_bucket`;
  const { count, sum, bounds } = value;
  const sharedLabels = labels;
  const lines: Line[] = value.cumulated().map((upTo, index) => {
    return { metricName: bucket, labels: { le: bounds[index] ?? 0 }, sharedLabels, value: upTo };
  });
  lines.push({ metricName: bucket, labels: ABOVE, sharedLabels, value: count });
  lines.push({ metricName: `${name}_sum`, labels: NONE, sharedLabels, value: sum });
  lines.push({ metricName: `${name}_count`, labels: NONE, sharedLabels, value: count });
  return lines;
}

/** HELP and TYPE stand once above a metric. */
function withoutHead(text: string): string {
  return text.slice(text.indexOf('\n', text.indexOf('\n') + 1) + 1);
}
