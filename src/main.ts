import { setFlagsFromString } from 'node:v8';
import { App } from './app.ts';
import { ConfigError } from './config/config-error.ts';
import { loadSettings } from './config/settings.ts';
import { ControlProcess } from './control-process.ts';
import { messageOf } from './lib/coded-error.ts';
import { createLogger, type Logger } from './lib/logger.ts';
import { readDotenv, warnOfUnknownSettings } from './composition/live-config.ts';
import type { ProcessOptions } from './composition/process-options.ts';
import { ProxyProcess } from './proxy-process.ts';

const ENV_FILE = '.env';
const EXIT = { ok: 0, failed: 1, badConfiguration: 2 } as const;

interface Daemon {
  start(): Promise<void>;
  close(): Promise<void>;
  /** Where in the operator's manifest something was thrown, if it was there. */
  placeInManifest?(error: unknown): string | undefined;
}

/** `main.js` is the whole daemon; in production `main.js control` and several `main.js proxy` are it together. */
function daemonOf(role: string | undefined, options: ProcessOptions): Daemon {
  if (role === undefined) return new App(options);
  if (role === 'control') return new ControlProcess(options);
  if (role === 'proxy') return new ProxyProcess(options);
  const message = 'must be control or proxy; without one, both are one process';
  throw new ConfigError('The command line', [{ field: role, message }]);
}

/**
 * While thousands of services are put together, V8 learns that what some lines of code allocate lives long, and from then
 * on allocates there among the old what a request needs for a moment: collecting it took a sixth of the CPU.
 */
function keepRequestsYoung(): void {
  setFlagsFromString('--no-allocation-site-pretenuring');
}

async function main(): Promise<void> {
  keepRequestsYoung();
  const dotenvText = await readDotenv(ENV_FILE);
  const settings = loadSettings(process.env, dotenvText);
  const log = createLogger({ level: settings.logLevel, format: settings.logFormat });
  const role = process.argv[2];
  const daemon = daemonOf(role, { settings, dotenvText, envFile: ENV_FILE, environment: process.env, log });
  if (role !== 'proxy') warnOfUnknownSettings(dotenvText, log);
  endOnFaults(daemon, log);
  endOnSignals(daemon, settings.drainTimeoutMs, log);
  await daemon.start();
  // Tells pm2 (wait_ready) that the predecessor may go.
  process.send?.('ready');
}

/** The first signal drains, the second one does not wait. */
function endOnSignals(daemon: Daemon, drainTimeoutMs: number, log: Logger): void {
  let ending = false;
  const end = (signal: NodeJS.Signals): void => {
    if (ending) process.exit(EXIT.failed);
    ending = true;
    log.info(`${signal}: finishing what is open (at most ${drainTimeoutMs / 1000} s); once more to end at once`);
    daemon.close().then(
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

/**
 * After a fault that nobody foresaw nothing can be relied on: what is open may end, then somebody starts us anew.
 * What the manifest's own code throws later, in a timer for instance, concerns nothing of ours: all that we have of it is data.
 */
function endOnFaults(daemon: Daemon, log: Logger): void {
  process.on('unhandledRejection', (reason) =>
    log.error({ err: reason }, `a failure was overlooked: ${messageOf(reason)}`),
  );
  process.on('uncaughtException', (error) => {
    const place = daemon.placeInManifest?.(error);
    if (place !== undefined) {
      log.error({ err: error }, `code of the manifest failed at ${place}, the daemon goes on: ${messageOf(error)}`);
      return;
    }
    log.fatal({ err: error }, `an error was not handled, the daemon ends: ${messageOf(error)}`);
    void daemon.close().finally(() => process.exit(EXIT.failed));
  });
}

main().catch((error: unknown) => {
  console.error(messageOf(error));
  process.exit(error instanceof ConfigError ? EXIT.badConfiguration : EXIT.failed);
});
