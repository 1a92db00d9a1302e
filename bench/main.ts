import { existsSync, readFileSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { messageOf } from '../src/lib/coded-error.ts';
import type { Arena } from './arena.ts';
import { ALL_CASES } from './cases/all.ts';
import type { CaseResult } from './cases/case.ts';
import { contestantsHere } from './contestants/all.ts';
import { describeMachine, missingPrograms, moveToLoadCore } from './machine.ts';
import { parseOptions, USAGE, type BenchOptions } from './options.ts';
import type { BenchReport } from './report/bench-report.ts';
import { markdown, page } from './report/markdown.ts';
import { judge } from './report/targets.ts';
import { openSite } from './site.ts';
import { presentCommit, versionsOfPeers } from './versions.ts';

/** By then V8 has compiled all that matters for good: after 20,000 Reveille still took a quarter more. */
const WARM_UP_REQUESTS = 200_000;
const RESULTS = fileURLToPath(new URL('results', import.meta.url));
const PAGE = fileURLToPath(new URL('../docs/BENCHMARKS.md', import.meta.url));

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2));
  if (options.help) return void process.stdout.write(USAGE);
  const missing = missingPrograms();
  if (missing.length > 0) throw new Error(`the bench needs ${missing.join(', ')} (Debian: wrk, nghttp2-client, nginx)`);
  moveToLoadCore();
  process.setMaxListeners(50);
  const at = new Date().toISOString();
  const { results, skipped } = await runCases(options);
  const report: BenchReport = {
    ...{ at, mode: options.short ? 'short' : 'full', commit: presentCommit(), machine: describeMachine() },
    ...{ versions: versionsOfPeers(), rounds: options.rounds, secondsPerRound: options.seconds, skipped, results },
    verdicts: judge(results),
  };
  process.stdout.write(`\n${markdown(report)}\n${skipped.map((each) => `skipped: ${each}\n`).join('')}`);
  await save(report, options);
}

async function runCases(options: BenchOptions): Promise<Pick<BenchReport, 'results' | 'skipped'>> {
  const { present, absent } = contestantsHere();
  const skipped = absent.map((name) => `${name} is not installed`);
  const results: CaseResult[] = [];
  const site = await openSite();
  const arena: Arena = {
    ...{ site, full: !options.short, rounds: options.rounds, seconds: options.seconds },
    warmUpRequests: WARM_UP_REQUESTS,
    contestants: present.filter(({ name }, at) => at === 0 || (options.against?.includes(name.toLowerCase()) ?? true)),
    progress: (text) => process.stderr.write(`  ${text}\n`),
  };
  try {
    for (const each of chosenCases(options)) {
      process.stderr.write(`${each.name}: ${each.title}\n`);
      try {
        const reason = await each.impossible?.();
        if (reason === undefined) results.push({ name: each.name, title: each.title, rows: await each.run(arena) });
        else skipped.push(`${each.name}: ${reason}`);
      } catch (error) {
        // What the other cases have shown is not lost for it.
        skipped.push(`${each.name} failed: ${messageOf(error)}`);
      }
    }
  } finally {
    await site.close();
  }
  return { results, skipped };
}

function chosenCases({ only, short }: BenchOptions): typeof ALL_CASES {
  if (only === undefined) return ALL_CASES.filter(({ long }) => !short || long !== true);
  return only.map((name) => {
    const found = ALL_CASES.find((each) => each.name === name);
    if (found === undefined) {
      throw new TypeError(`there is no case "${name}"; there are ${ALL_CASES.map((each) => each.name).join(', ')}`);
    }
    return found;
  });
}

/** The page is written by a whole run unless asked for: it would lose its other tables by a partial one. */
async function save(report: BenchReport, { only, against, short, output, page: wanted }: BenchOptions): Promise<void> {
  const path = output ?? join(RESULTS, `${report.at.replaceAll(':', '-')}.json`);
  await mkdir(dirname(path), { recursive: true });
  await writeFile(path, `${JSON.stringify(report, null, 2)}\n`);
  process.stderr.write(`written: ${path}\n`);
  if (!wanted && (short || only !== undefined || against !== undefined)) return;
  const before = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '';
  await writeFile(PAGE, page(report, before));
  process.stderr.write(`written: ${PAGE}\n`);
}

// So that what was started is ended as well.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1));

main().catch((error: unknown) => {
  const isUsage = error instanceof TypeError;
  process.stderr.write(`${messageOf(error)}\n${isUsage ? USAGE : ''}`);
  process.exitCode = isUsage ? 2 : 1;
});
