/** One line of the text format of Prometheus. */
export interface Metric {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

const LINE = /^([a-z_]+)(?:\{(.*)\})? (\S+)$/;
const LABEL = /([a-z_]+)="((?:[^"\\]|\\.)*)"/g;

/** A scrape as a test looks at it. */
export class MetricsText {
  readonly lines: readonly Metric[];

  /** @throws at the first line that is not of the format */
  constructor(text: string) {
    const lines = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
    this.lines = lines.map((line) => {
      const [, name = '', labels = '', value = ''] = LINE.exec(line) ?? [];
      if (name === '' || labels.replace(LABEL, '').replaceAll(',', '') !== '') throw new Error(`not a metric: ${line}`);
      const entries = [...labels.matchAll(LABEL)].map(([, key = '', escaped = '']) => [key, unescape(escaped)]);
      return { name, labels: Object.fromEntries(entries) as Record<string, string>, value: Number(value) };
    });
  }

  /** The values of the series with at least these labels, summed up; undefined when there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.lines.filter(
      (line) =>
        line.name === `reveille_${name}` && Object.entries(labels).every(([key, value]) => line.labels[key] === value),
    );
    return found.length === 0 ? undefined : found.reduce((sum, { value }) => sum + value, 0);
  }
}

function unescape(escaped: string): string {
  return escaped.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
}
