import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { METRICS, PREFIX } from '../../../src/metrics/metric-table.ts';
import { SHED_REASONS, UPSTREAM_ERRORS } from '../../../src/seam/traffic-report.ts';

const text = readFileSync(new URL('../../../docs/METRICS.md', import.meta.url), 'utf8');
const rows = text
  .split('\n')
  .filter((line) => line.startsWith(`| \`${PREFIX}`))
  .map((line) => line.split('|').map((cell) => cell.trim()));

describe('docs/METRICS.md', () => {
  it('has every metric once, in the order of the table, with its type, labels, unit and meaning', () => {
    const told = Object.entries(METRICS).map(([name, { type, labels, unit, help }]) => {
      return ['', `\`${PREFIX}${name}\``, type, labels.map((label) => `\`${label}\``).join(', '), unit, help, ''];
    });
    expect(rows).toEqual(told);
  });

  it('explains every label', () => {
    const labels = new Set(Object.values(METRICS).flatMap((metric): readonly string[] => metric.labels));
    expect([...labels].filter((label) => !text.includes(`**\`${label}\`**`))).toEqual([]);
  });

  it('names every reason and kind there is', () => {
    expect([...SHED_REASONS, ...UPSTREAM_ERRORS].filter((code) => !text.includes(`\`${code}\``))).toEqual([]);
  });
});
