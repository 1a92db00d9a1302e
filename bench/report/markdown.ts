import { FIGURES, type CaseResult, type FigureName, type Row } from '../cases/case.ts';
import type { BenchReport } from './bench-report.ts';

/** Tables that read well on a screen and as a page. */
export function markdown({ results, verdicts }: Pick<BenchReport, 'results' | 'verdicts'>): string {
  const parts = results.map(caseTable);
  if (verdicts.length > 0) parts.push(`## Targets\n\n${targetTable(verdicts)}`);
  return parts.join('\n');
}

/** What stands behind this line was written by hand. */
const BY_HAND = '<!-- What follows is written by hand; a run of the bench leaves it as it is. -->';

/** The whole page docs/BENCHMARKS.md. @param before the page as it was, whose hand-written part is kept */
export function page(report: BenchReport, before: string): string {
  const byHand = before.split(BY_HAND)[1]?.trim() ?? '';
  return `${generated(report)}\n${BY_HAND}\n${byHand === '' ? '' : `\n${byHand}\n`}`;
}

function generated(report: BenchReport): string {
  const { machine, versions, at, rounds, secondsPerRound } = report;
  const peers = Object.entries(versions).map(([name, version]) => `${name} ${version}`);
  return `# Benchmarks

Made by \`npm run bench\` on ${at.slice(0, 10)}: ${machine.cpu}, ${machine.cores} cores, ${machine.memoryGiB} GiB, Linux ${machine.kernel}, Node ${machine.node}. ${peers.join(', ')}.

Every contestant has one core for itself; load and upstream (nginx on 127.0.0.1) have the other. All serve the same ECDSA P-256 certificate over TLS 1.3 and keep connections to the upstream; access logs are off for the peers and at the default for Reveille, which runs as in production. "CPU µs each" is the CPU time of the contestant and its children for one request (message, handshake): other than requests per second it hardly depends on what else the machine does. Figures are medians of ${rounds} rounds of ${secondsPerRound} s in which all take turns, after 200,000 requests (or 12 s of them) that warm each one up, and a second before each turn that does not count; "quietest", among the targets, compares what each one took in the round that was best for it, because others on a shared machine only ever add to a cost.

${markdown(report)}`;
}

function caseTable({ name, title, rows }: CaseResult): string {
  const used = (Object.keys(FIGURES) as FigureName[]).filter((figure) =>
    rows.some(({ figures }) => figures[figure] !== undefined),
  );
  const shown = used.filter((figure) => figure !== 'failed' || rows.some(({ figures }) => (figures.failed ?? 0) > 0));
  const head = ['', ...shown.map((figure) => FIGURES[figure].title)];
  const body = rows.map((row) => [row.name, ...shown.map((figure) => cell(row, figure))]);
  return `## ${name}\n\n${title}\n\n${table(head, body)}`;
}

function cell({ figures }: Row, figure: FigureName): string {
  const value = figures[figure];
  return value === undefined ? '' : value.toFixed(FIGURES[figure].digits);
}

function targetTable(verdicts: BenchReport['verdicts']): string {
  const body = verdicts.map(({ text, atMost, seen, quietest, holds }) => [
    text,
    String(atMost),
    seen.toFixed(2),
    holds ? 'yes' : 'NO',
    quietest?.toFixed(2) ?? '',
  ]);
  return table(['', 'at most', 'seen', 'holds', 'quietest'], body);
}

/** Names to the left, numbers to the right, as prettier would have it. */
function table(head: readonly string[], body: readonly (readonly string[])[]): string {
  const all = [head, ...body];
  const widths = head.map((_, at) => Math.max(3, ...all.map((line) => (line[at] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    `| ${widths.map((width, at) => pad(cells[at] ?? '', width, at)).join(' | ')} |`;
  const rule = widths.map((width, at) => (at === 0 ? '-'.repeat(width) : `${'-'.repeat(width - 1)}:`));
  return `${[line(head), line(rule), ...body.map(line)].join('\n')}\n`;
}

function pad(text: string, width: number, column: number): string {
  return column === 0 ? text.padEnd(width) : text.padStart(width);
}
