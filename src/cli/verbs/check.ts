import { Command } from 'commander';
import pc from 'picocolors';
import { ConfigError, type ConfigProblem } from '../../config/config-error.ts';
import type { Manifest } from '../../config/service-spec.ts';
import type { Settings } from '../../config/settings.ts';
import { unknownSettings } from '../../config/settings/unknown-settings.ts';
import { SystemClock } from '../../lib/clock.ts';
import { createLogger } from '../../lib/logger.ts';
import { createStore } from '../../stores/create-store.ts';
import {
  manifestOf,
  print,
  printJson,
  readDotenv,
  settingsOf,
  type CliContext,
  type GlobalOptions,
} from '../cli-context.ts';
import { EXIT } from '../exit-codes.ts';

type FoundProblem = ConfigProblem & { readonly source: string };

export function checkCommand(context: CliContext): Command {
  return new Command('check')
    .description('checks the settings and the manifest, and starts nothing')
    .action(async (_options: unknown, command: Command) => {
      const { json } = command.optsWithGlobals<GlobalOptions>();
      const problems: FoundProblem[] = [];
      const warnings = unknownSettings(await readDotenv(context));
      const good = await attempt(() => settingsOf(context), problems);
      // The manifest is checked all the same, with the defaults in the place of what is wrong.
      const usable = good ? context : withDefaults(context, problems);
      const settings = good ?? (await settingsOf(usable));
      const manifest = await attempt(() => manifestOf(usable, settings), problems);
      await attempt(() => checkStore(settings), problems);
      const ok = manifest !== undefined && problems.length === 0;
      if (!ok) context.exitCode = EXIT.usage;
      if (json) printJson(context, { ok, services: manifest?.size ?? 0, problems, warnings });
      else print(context, ok ? goodText(manifest, settings) : badText(problems));
      for (const { key, didYouMean } of json ? [] : warnings) {
        context.stderr.write(`${pc.yellow('!')} .env: ${key} is no setting; did you mean ${didYouMean}?\n`);
      }
    });
}

/** Whether MONGO_DB_URI is one, as the driver reads it. Nothing is connected to. */
async function checkStore(settings: Settings): Promise<void> {
  if (settings.mongoDbUri === undefined) return;
  const log = createLogger({ level: 'silent', format: 'json' });
  const store = await createStore(settings, new SystemClock(), log);
  await store.close();
}

function withDefaults(context: CliContext, problems: readonly ConfigProblem[]): CliContext {
  const emptied = Object.fromEntries(problems.map(({ field }) => [field, '']));
  return { ...context, environment: { ...context.environment, ...emptied } };
}

async function attempt<T>(load: () => Promise<T>, problems: FoundProblem[]): Promise<T | undefined> {
  try {
    return await load();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    problems.push(...error.problems.map((problem) => ({ source: error.source, ...problem })));
    return undefined;
  }
}

function goodText(manifest: Manifest, { manifest: path, env }: Settings): string {
  const names = [...manifest.keys()];
  const what = names.length === 1 ? '1 service' : `${names.length} services`;
  return `${pc.green('ok')}  ${path} and the ${env} settings: ${what}${names.length > 0 ? ` (${names.join(', ')})` : ''}`;
}

function badText(problems: readonly FoundProblem[]): string {
  const sources = new Set(problems.map(({ source }) => source));
  return [...sources]
    .map((source) => {
      const own = problems.filter((problem) => problem.source === source);
      return [`${source} cannot be used:`, ...own.map(({ field, message }) => `  ${pc.red(field)}: ${message}`)].join(
        '\n',
      );
    })
    .join('\n');
}
