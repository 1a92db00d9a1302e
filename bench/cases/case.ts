import type { Arena } from '../arena.ts';

/** What can be measured, with the heading of its column and the digits after the point. */
export const FIGURES = {
  cpuMicros: { title: 'CPU µs each', digits: 1 },
  cpuMicrosPerMegabyte: { title: 'CPU µs per MB', digits: 0 },
  ratio: { title: 'of Reveille', digits: 2 },
  perSecond: { title: 'per second', digits: 0 },
  p50Ms: { title: 'p50 ms', digits: 2 },
  p99Ms: { title: 'p99 ms', digits: 2 },
  addedP99Ms: { title: 'p99 added ms', digits: 2 },
  rssMegabytes: { title: 'RSS MB', digits: 0 },
  kilobytesEach: { title: 'KB each', digits: 1 },
  grownMegabytes: { title: 'RSS grown MB', digits: 1 },
  byHandMs: { title: 'by hand ms', digits: 1 },
  throughProxyMs: { title: 'through Reveille ms', digits: 1 },
  overheadMs: { title: 'overhead ms', digits: 1 },
  failed: { title: 'failed', digits: 0 },
} as const;

export type FigureName = keyof typeof FIGURES;
export type Figures = Readonly<Partial<Record<FigureName, number>>>;

export interface Row {
  readonly name: string;
  readonly figures: Figures;
  /** The least of each figure in any round. Others on the machine only ever add to a cost. */
  readonly quietest?: Figures;
}

export interface CaseResult {
  readonly name: string;
  readonly title: string;
  readonly rows: readonly Row[];
}

export interface Case {
  /** As `--only` takes it. */
  readonly name: string;
  /** What is done, in one line. */
  readonly title: string;
  /** Left out of the short mode. */
  readonly long?: boolean;
  /** Why it cannot be run on this machine, if so. */
  impossible?(): Promise<string | undefined>;
  run(arena: Arena): Promise<readonly Row[]>;
}
