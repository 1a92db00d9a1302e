import cluster from 'node:cluster';
import { destination, pino, type Logger as PinoLogger, type LevelWithSilent } from 'pino';
import pretty from 'pino-pretty';

export type Logger = PinoLogger;

export interface LoggerOptions {
  readonly level: LevelWithSilent;
  readonly format: 'pretty' | 'json';
}

/** What must never be read in a log, wherever in an object it stands. */
const SECRET_FIELDS = ['authorization', 'cookie', 'set-cookie', 'token', 'password', 'secret'];

/** The process logger, on standard output. Synchronous, so that the last line before an exit is written. */
export function createLogger({ level, format }: LoggerOptions): Logger {
  const options = {
    level,
    base: null,
    redact: { paths: SECRET_FIELDS.flatMap((field) => [`["${field}"]`, `*["${field}"]`]), censor: '[hidden]' },
    timestamp: pino.stdTimeFunctions.isoTime,
  };
  // A process manager in whose cluster we are takes what is written to the stream; the descriptor is its own.
  if (cluster.isWorker) return pino(options, process.stdout);
  if (format === 'json') return pino(options, destination({ fd: 1, sync: true }));
  return pino(options, pretty({ colorize: process.stdout.isTTY, translateTime: 'SYS:HH:MM:ss.l', sync: true }));
}
