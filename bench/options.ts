import { parseArgs } from 'node:util';

export interface BenchOptions {
  readonly short: boolean;
  /** Names of cases; undefined = all. */
  readonly only: readonly string[] | undefined;
  /** Names of contestants, lower case; undefined = all. */
  readonly against: readonly string[] | undefined;
  /** Where the JSON goes; undefined = bench/results, named after the time. */
  readonly output: string | undefined;
  readonly help: boolean;
  /** Writes docs/BENCHMARKS.md, although not everything was run. */
  readonly page: boolean;
  readonly rounds: number;
  readonly seconds: number;
}

export const USAGE = `npm run bench -- [--short] [--only CASE,...] [--against CONTESTANT,...] [--rounds N] [--seconds N] [--output FILE] [--page]
  --short     a quick look, in about five minutes; the full run takes about 35 and writes docs/BENCHMARKS.md as well
  --only      these cases
  --against   Reveille and these contestants
  --output    where the JSON goes; otherwise into bench/results/
  --page      writes docs/BENCHMARKS.md after a partial run too; its hand-written part is kept by any run
`;

/** @throws TypeError for what is not an option */
export function parseOptions(words: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...words],
    options: {
      short: { type: 'boolean', default: false },
      only: { type: 'string' },
      against: { type: 'string' },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      output: { type: 'string' },
      page: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  });
  const list = (text: string | undefined): string[] | undefined => text?.split(',').map((each) => each.trim());
  return {
    short: values.short,
    only: list(values.only),
    against: list(values.against?.toLowerCase()),
    output: values.output,
    page: values.page,
    help: values.help,
    rounds: Number(values.rounds ?? (values.short ? 1 : 5)),
    seconds: Number(values.seconds ?? (values.short ? 2 : 4)),
  };
}
