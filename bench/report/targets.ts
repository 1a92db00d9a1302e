import type { CaseResult, FigureName } from '../cases/case.ts';

/** A bound that Reveille means to keep, as a figure of one run. */
interface Target {
  readonly text: string;
  readonly atMost: number;
  /** Undefined when the run has no such figure. */
  readonly seen: (results: readonly CaseResult[]) => number | undefined;
}

export interface Verdict {
  readonly text: string;
  readonly atMost: number;
  readonly seen: number;
  /** The same from what each contestant took in the round that was its best; undefined where there are no rounds. */
  readonly quietest: number | undefined;
  readonly holds: boolean;
}

const US = 'Reveille';

const TARGETS: readonly Target[] = [
  { text: "small GET: http-proxy's CPU", atMost: 0.45, seen: timesThatOf('small-get', 'http-proxy') },
  { text: "small GET: Caddy's CPU", atMost: 0.65, seen: timesThatOf('small-get', 'Caddy') },
  { text: "small GET: nginx's CPU", atMost: 3.0, seen: timesThatOf('small-get', 'nginx') },
  { text: "small GET: a bare https server's CPU", atMost: 1.8, seen: timesThatOf('small-get', 'bare https') },
  {
    text: "10 MB bodies: nginx's CPU per byte",
    atMost: 1.8,
    seen: timesThatOf('body-10m', 'nginx', 'cpuMicrosPerMegabyte'),
  },
  { text: 'p99 added at half load, ms', atMost: 2, seen: figure('half-load', US, 'addedP99Ms') },
  { text: 'an idle WebSocket, KB', atMost: 30, seen: figure('idle-websockets', US, 'kilobytesEach') },
  {
    text: '10,000 hosts: the CPU of 10 hosts',
    atMost: 1.05,
    seen: (results) => {
      const many = figure('many-hosts', `${US}, 10000 hosts`, 'cpuMicros')(results);
      const few = figure('many-hosts', US, 'cpuMicros')(results);
      return many === undefined || few === undefined ? undefined : many / few;
    },
  },
  { text: 'a million requests: memory grown, MB', atMost: 10, seen: figure('million', US, 'grownMegabytes') },
  { text: 'wake of a stopped container: overhead, ms', atMost: 20, seen: figure('wake', 'stopped', 'overheadMs') },
  { text: 'wake of a paused container: overhead, ms', atMost: 10, seen: figure('wake', 'paused', 'overheadMs') },
];

/** Those targets that this run can tell something about. */
export function judge(results: readonly CaseResult[]): Verdict[] {
  const quiet = results.map(inQuietestRounds);
  return TARGETS.flatMap(({ text, atMost, seen }) => {
    const value = seen(results);
    return value === undefined ? [] : [{ text, atMost, seen: value, quietest: seen(quiet), holds: value <= atMost }];
  });
}

function inQuietestRounds(result: CaseResult): CaseResult {
  return { ...result, rows: result.rows.map((row) => ({ ...row, figures: row.quietest ?? {} })) };
}

function figure(caseName: string, row: string, name: FigureName): Target['seen'] {
  return (results) =>
    results.find((result) => result.name === caseName)?.rows.find((each) => each.name === row)?.figures[name];
}

function timesThatOf(caseName: string, peer: string, name: FigureName = 'cpuMicros'): Target['seen'] {
  return (results) => {
    const ours = figure(caseName, US, name)(results);
    const theirs = figure(caseName, peer, name)(results);
    return ours === undefined || theirs === undefined ? undefined : ours / theirs;
  };
}
