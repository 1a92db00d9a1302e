import type { MongoLimits } from '../../../src/stores/mongo/mongo-connection.ts';

/** For a server on this machine. */
export const mongoLimits: MongoLimits = {
  poolSize: 5,
  connectTimeoutMs: 5_000,
  selectionTimeoutMs: 5_000,
  answerTimeoutMs: 20_000,
};
