import { describeError, log } from './log.js';

/** Docker and the daemon allow more, but a service that sleeps should not keep anyone waiting. */
const FORCED_EXIT_MS = 1_900;

/**
 * What a service is to the process that runs it.
 *
 * @typedef {object} Service
 * @property {(port: number, host: string) => Promise<number>} start   resolves with the port it listens on
 * @property {() => Promise<void>} close                               graceful; within 1.5 seconds
 */

/**
 * Runs a service until SIGTERM or SIGINT, and exits 0 within two seconds of it.
 *
 * @param {string} name
 * @param {Service} service
 * @param {number} defaultPort
 */
export async function runService(name, service, defaultPort) {
  let ending = false;
  /** @param {NodeJS.Signals} signal */
  const end = (signal) => {
    if (ending) return;
    ending = true;
    log(`${name} got ${signal} and ends.`);
    setTimeout(() => process.exit(1), FORCED_EXIT_MS).unref();
    service.close().then(
      () => process.exit(0),
      () => process.exit(1),
    );
  };
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
  try {
    const port = await service.start(readPort(process.env.PORT, defaultPort), process.env.HOST || '127.0.0.1');
    log(`${name} listens on port ${port}.`);
  } catch (error) {
    log(`${name} cannot start: ${describeError(error)}`);
    process.exit(1);
  }
}

/**
 * @param {string | undefined} text
 * @param {number} fallback
 */
function readPort(text, fallback) {
  if (!text) return fallback;
  const port = Number(text);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`PORT must be 0 to 65535, not "${text}".`);
  return port;
}
