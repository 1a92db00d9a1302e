import { BSON, MongoError, MongoServerError, MongoServerSelectionError } from 'mongodb';
import { CodedError, messageOf } from '../../lib/coded-error.ts';

const AUTHENTICATION_FAILED = 18;
const UNAUTHORIZED = 13;
const ILLEGAL_OPERATION = 20;
const OUT_OF_DISK_SPACE = 14_031;
const CHANGE_STREAMS_NEED_A_REPLICA_SET = 40_573;

/** What to do about the errors of a server that a message of its own does not explain. */
const ADVICE: Readonly<Record<number, string>> = {
  [AUTHENTICATION_FAILED]: 'check the user and the password in MONGO_DB_URI, and authSource',
  [UNAUTHORIZED]: 'the user of MONGO_DB_URI needs the role readWrite on the database',
  [ILLEGAL_OPERATION]: 'it has to be a replica set, also where it has one member (--replSet, rs.initiate())',
  [CHANGE_STREAMS_NEED_A_REPLICA_SET]:
    'it has to be a replica set, also where it has one member (--replSet, rs.initiate())',
  [OUT_OF_DISK_SPACE]: 'free space on the disk of the server',
};

/** Why MongoDB cannot be used, for people. Says nothing that stands in the URI beside the hosts. */
export function outageReason(error: unknown, secrets: readonly string[]): string {
  const hidden = secrets.reduce((text, secret) => text.replaceAll(secret, '[hidden]'), plainReason(error));
  const code = error instanceof MongoServerError ? Number(error.code) : Number.NaN;
  const advice = ADVICE[code];
  return advice === undefined ? hidden : `${hidden} (${advice})`;
}

function plainReason(error: unknown): string {
  if (error instanceof MongoServerSelectionError) {
    const causes = [...(error.reason?.servers.values() ?? [])].flatMap(({ address, error: cause }) =>
      cause ? [`${address}: ${cause.message}`] : [],
    );
    if (causes.length > 0) return `no primary can be reached; ${causes.join('; ')}`;
    return `no primary can be reached: ${error.message}`;
  }
  return messageOf(error);
}

/** Whether the user of a connection may not do what was asked: there is none any more, or it has another role. */
export function isUnauthorized(error: unknown): boolean {
  return error instanceof MongoServerError && error.code === UNAUTHORIZED;
}

/** Too large, or against the rules that somebody has made for the collection. */
const REFUSED = new Set([10_334, 17_419, 17_420, 121]);

/** Whether the fault lies in what was to be stored, so that the store would refuse it again. */
export function isRefusal(error: unknown): boolean {
  if (error instanceof MongoServerError) return REFUSED.has(Number(error.code));
  return error instanceof BSON.BSONError || (error instanceof MongoError && error.name === 'MongoInvalidArgumentError');
}

/** The user name, the password and all that could stand for them. */
export function secretsOf(uri: string): string[] {
  const userinfo = /^[^/]*\/\/([^@/]*)@/.exec(uri)?.[1];
  if (userinfo === undefined) return [];
  const [, ...rest] = userinfo.split(':');
  const password = rest.join(':');
  return [uri, userinfo, password, decoded(password)].filter((secret) => secret.length > 1);
}

/** @throws CodedError `uri_refused` with a message that repeats nothing of the URI */
export function uriError(error: unknown, uri: string): CodedError {
  return new CodedError(
    'uri_refused',
    `is not a URI that MongoDB takes: ${outageReason(error, [...secretsOf(uri), uri])}`,
  );
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
