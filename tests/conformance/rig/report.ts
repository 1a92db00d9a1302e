import type { CaseGroup } from '../cases/all-cases.ts';
import type { Verdict } from './conformance-case.ts';
import { explanationOf, type H2specResult } from './h2spec.ts';

const NOT_PASSED = 'Cases of h2spec that are not passed by';

/** One front, and what it did; a case that does not concern it is absent. */
export interface FrontResult {
  readonly name: string;
  readonly version: string;
  readonly verdicts: ReadonlyMap<string, Verdict>;
  readonly h2spec: H2specResult | undefined;
}

export interface Report {
  readonly groups: readonly CaseGroup[];
  readonly fronts: readonly FrontResult[];
  /** Fronts that are not installed. */
  readonly absent: readonly string[];
  readonly h2specReason: string | undefined;
  readonly date: Date;
}

/** The whole of docs/CONFORMANCE.md. */
export function markdown(report: Report): string {
  const { groups, fronts } = report;
  return [
    '# Conformance',
    introduction(report),
    '## Summary',
    table([['', ...fronts.map(({ name, version }) => `${name} ${version}`)], ...summary(report)]),
    h2specNotes(report),
    ...groups.flatMap(({ title, cases }) => {
      const rows = cases.map(({ id, title: rule, reference }) => {
        const cells = fronts.map(({ verdicts }) => cell(verdicts.get(id)));
        return [`${rule} · ${reference}`, ...cells];
      });
      return [`## ${title}`, table([['case', ...fronts.map(({ name }) => name)], ...rows])];
    }),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
    .concat('\n');
}

function introduction({ date, absent }: Report): string {
  const day = date.toISOString().slice(0, 10);
  const machine = `Node ${process.version.slice(1)} on ${process.platform}`;
  const missing = absent.length === 0 ? '' : ` Not installed, and so not asked: ${absent.join(', ')}.`;
  return [
    `Made by \`npm run conformance\` on ${day} with ${machine}; edits by hand are lost with the next run.${missing}`,
    'Every case speaks to the front over TLS, and plays its upstream, byte by byte. Each front gets a process, ports and ' +
      'connections of its own for each case. ✓ holds, ✗ does not, – does not concern it (no HTTP/2 in that set-up, or ' +
      'something that only Reveille promises); behind it stands what was seen: statuses, and whether the connection ' +
      'was then open or closed. The peers are set up as their manuals set up a streaming reverse proxy: ' +
      '[tests/conformance/fronts](../tests/conformance/fronts). The cases are in ' +
      '[tests/conformance/cases](../tests/conformance/cases), and `npm test` holds Reveille to all of them.',
  ].join('\n\n');
}

function summary({ groups, fronts, h2specReason }: Report): string[][] {
  const count = (verdicts: readonly (Verdict | undefined)[]): string => {
    const asked = verdicts.filter((one) => one !== undefined);
    return asked.length === 0 ? '–' : `${asked.filter(({ pass }) => pass).length} of ${asked.length}`;
  };
  const row = (title: string, ids: readonly string[]): string[] => [
    title,
    ...fronts.map(({ verdicts }) => count(ids.map((id) => verdicts.get(id)))),
  ];
  const all = groups.flatMap(({ cases }) => cases.map(({ id }) => id));
  const h2spec = fronts.map(({ h2spec: result }) =>
    result === undefined ? '–' : `${result.passed} of ${result.passed + result.failed.length + result.skipped}`,
  );
  return [
    ...groups.map(({ title, cases }) =>
      row(
        title,
        cases.map(({ id }) => id),
      ),
    ),
    row('**All**', all).map((text, index) => (index === 0 ? text : `**${text}**`)),
    ...(h2specReason === undefined ? [['h2spec', ...h2spec]] : []),
  ];
}

function h2specNotes({ fronts, h2specReason }: Report): string {
  if (h2specReason !== undefined) return `h2spec was skipped: ${h2specReason}`;
  return fronts
    .filter(({ h2spec }) => h2spec !== undefined && h2spec.failed.length > 0)
    .map(
      ({ name, h2spec }) =>
        `${NOT_PASSED} ${name}:\n\n${(h2spec?.failed ?? []).map((one) => item(name, one)).join('\n')}`,
    )
    .join('\n\n');
}

function item(front: string, failed: string): string {
  if (front !== 'Reveille') return `- ${failed}`;
  return `- ${failed}: ${explanationOf(failed) ?? '**not explained**'}.`;
}

function cell(verdict: Verdict | undefined): string {
  return verdict === undefined ? '–' : `${verdict.pass ? '✓' : '✗'} ${verdict.seen}`;
}

function table([head = [], ...rows]: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.map(plain).join(' | ')} |`;
  return [line(head), `|${' --- |'.repeat(head.length)}`, ...rows.map(line)].join('\n');
}

function plain(text: string): string {
  return text
    .replaceAll('|', '\\|')
    .replaceAll(/[\n\r]/g, ' ')
    .replaceAll('<', '&lt;')
    .trim();
}
