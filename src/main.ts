import { App } from './app.ts';
import { ConfigError } from './config/config-error.ts';
import { loadSettings, type Settings } from './config/settings.ts';
import { unknownSettings } from './config/unknown-settings.ts';
import { messageOf } from './lib/coded-error.ts';
import { createLogger, type Logger } from './lib/logger.ts';
import { readDotenv } from './live-config.ts';

const ENV_FILE = '.env';
const EXIT = { ok: 0, failed: 1, badConfiguration: 2 } as const;

async function main(): Promise<void> {
  const dotenvText = await readDotenv(ENV_FILE);
  const settings = loadSettings(process.env, dotenvText);
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  warnOfUnknownSettings(dotenvText, log);
  const app = new App({ settings, dotenvText, envFile: ENV_FILE, environment: process.env, log });
  endOnFaults(app, log);
  endOnSignals(app, settings, log);
  await app.start();
  // Tells pm2 (wait_ready) that the predecessor may go.
  process.send?.('ready');
}

/** .env may hold variables of the manifest's own; those that look like ours but are not are probably typing errors. */
function warnOfUnknownSettings(dotenvText: string, log: Logger): void {
  for (const { key, didYouMean } of unknownSettings(dotenvText)) {
    log.warn(`${key} in ${ENV_FILE} is not a setting; did you mean ${didYouMean}?`);
  }
}

/** The first signal drains, the second one does not wait. */
function endOnSignals(app: App, settings: Settings, log: Logger): void {
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) process.exit(EXIT.failed);
    ending = true;
    log.info(
      `${signal}: finishing what is open (at most ${settings.drainTimeoutMs / 1000} s); once more to end at once`,
    );
    app.close().then(
      () => process.exit(EXIT.ok),
      (error: unknown) => {
        log.error({ err: error }, `could not end in order: ${messageOf(error)}`);
        process.exit(EXIT.failed);
      },
    );
  };
  process.on('SIGINT', end);
  process.on('SIGTERM', end);
}

/** After a fault that nobody foresaw nothing can be relied on: what is open may end, then somebody starts us anew. */
function endOnFaults(app: App, log: Logger): void {
  process.on('unhandledRejection', (reason) =>
    log.error({ err: reason }, `a failure was overlooked: ${messageOf(reason)}`),
  );
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, `an error was not handled, the daemon ends: ${messageOf(error)}`);
    void app.close().finally(() => process.exit(EXIT.failed));
  });
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(error instanceof ConfigError ? EXIT.badConfiguration : EXIT.failed);
});
