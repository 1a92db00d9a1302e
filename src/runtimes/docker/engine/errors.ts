import { messageOf } from '../../../lib/coded-error.ts';
import { RuntimeError, RuntimeUnavailable, type FailureCode } from '../../../fleet/errors.ts';

/** How to get an engine that answers, by the code of the failed connection. */
const REMEDIES: Readonly<Record<string, (address: string) => string>> = {
  ENOENT: (address) =>
    `no Docker engine answers at ${address}; start it with 'sudo systemctl start docker' (or Docker Desktop), or set DOCKER_HOST`,
  ECONNREFUSED: (address) =>
    `no Docker engine answers at ${address} (connection refused); start it with 'sudo systemctl start docker' (or Docker Desktop), or set DOCKER_HOST`,
  EACCES: (address) =>
    `permission denied at ${address}: add the user to the group docker ('sudo usermod -aG docker $USER') and log in again`,
  ETIMEDOUT: (address) => `the Docker engine at ${address} does not answer in time`,
};

/** Codes of a connection that was not made or did not last. */
const CONNECTION_CODES = new Set(
  'ENOENT ECONNREFUSED EACCES EPERM ETIMEDOUT ECONNRESET EPIPE ENOTFOUND EAI_AGAIN EHOSTUNREACH ENETUNREACH'.split(' '),
);

/** A call that the engine did not answer in time. */
export class EngineTimeout extends Error {
  readonly code = 'ETIMEDOUT';
}

function codeOf(error: unknown): string | undefined {
  const code = (error as { code?: unknown } | null)?.code;
  return typeof code === 'string' ? code : undefined;
}

/** The HTTP status with which the engine refused; undefined when it did not answer at all. */
export function statusOf(error: unknown): number | undefined {
  const status = (error as { statusCode?: unknown } | null)?.statusCode;
  return typeof status === 'number' ? status : undefined;
}

/** The engine's own words, without what dockerode writes around them. */
export function wordsOf(error: unknown): string {
  const json = (error as { json?: { message?: unknown } } | null)?.json;
  if (typeof json?.message === 'string') return json.message.trim();
  return messageOf(error)
    .replace(/^\(HTTP code \d+\) [^-]* - /, '')
    .trim();
}

export interface Unreachable {
  readonly code: string;
  readonly reason: string;
}

/** Why the engine could not be asked; undefined when it answered. */
export function unreachable(error: unknown, address: string): Unreachable | undefined {
  if (statusOf(error) !== undefined) return undefined;
  const code = codeOf(error);
  if (code === undefined || !CONNECTION_CODES.has(code)) {
    return /socket hang up|aborted/i.test(messageOf(error))
      ? { code: 'ECONNRESET', reason: `the Docker engine at ${address} closed the connection` }
      : undefined;
  }
  const reason = REMEDIES[code === 'EPERM' ? 'EACCES' : code]?.(address);
  return { code, reason: reason ?? `the Docker engine at ${address} cannot be reached: ${messageOf(error)}` };
}

/** Like `unreachable`, for the calls by which the connection itself is tried: there an answer such as 500 is a failure too. */
export function notServing(error: unknown, address: string): Unreachable {
  const status = statusOf(error);
  if (status === undefined) return unreachable(error, address) ?? { code: 'UNKNOWN', reason: messageOf(error) };
  return { code: `HTTP_${status}`, reason: `the Docker engine at ${address} answers ${status}: ${wordsOf(error)}` };
}

/** The port that a refusal to start is about, when it is about one. */
function takenPort(words: string): string | undefined {
  if (!/port is already allocated|address already in use/i.test(words)) return undefined;
  return /((?:[\d.]+|\[[^\]]*\]|):\d+)(?:[/:]| failed)/.exec(words)?.[1] ?? 'a published port';
}

export interface Refusal {
  readonly service: string;
  /** What was being done: 'create a container'. */
  readonly action: string;
  /** The code when the words say nothing more exact. */
  readonly fallback: FailureCode;
  readonly logTail?: readonly string[];
}

/** Turns whatever an engine call or stream failed with into the error that the fleet knows. */
export function refused(error: unknown, { service, action, fallback, logTail }: Refusal): RuntimeError {
  if (error instanceof RuntimeError) return error;
  const words = wordsOf(error);
  const options = { cause: error, ...(logTail === undefined ? {} : { logTail }) };
  if (/no space left on device/i.test(words)) {
    const remedy = `free space where Docker keeps its data ('docker system df')`;
    return new RuntimeError(
      'disk_full',
      `the disk is full: cannot ${action} for service ${service}; ${remedy}`,
      options,
    );
  }
  const port = takenPort(words);
  if (port !== undefined) {
    const message = `port ${port} that service ${service} publishes is taken; end what listens there or change 'publish'`;
    return new RuntimeError('port_taken', message, options);
  }
  return new RuntimeError(fallback, `cannot ${action} for service ${service}: ${words}`, options);
}

export function unavailable({ reason }: Unreachable, cause: unknown): RuntimeUnavailable {
  return new RuntimeUnavailable(reason, { cause });
}
