import { ConfigError } from '../config/config-error.ts';
import type { Settings } from '../config/settings.ts';
import type { StateStore } from '../fleet/state-store.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import { EmbeddedStore } from './embedded/embedded-store.ts';

/**
 * The store that the settings name, not started yet.
 * @throws ConfigError when MONGO_DB_URI is none
 */
export async function createStore(settings: Settings, clock: Clock, log: Logger): Promise<StateStore> {
  const { mongoDbUri: uri, mongoDbName: databaseName, stateDir } = settings;
  if (uri === undefined) return new EmbeddedStore({ stateDir, clock, log });
  // The driver takes a while to load: only where it is needed.
  const { MongoStore } = await import('./mongo/mongo-store.ts');
  const limits = {
    poolSize: settings.mongoPoolSize,
    connectTimeoutMs: settings.mongoConnectTimeoutMs,
    selectionTimeoutMs: settings.mongoSelectionTimeoutMs,
    answerTimeoutMs: settings.mongoAnswerTimeoutMs,
  };
  try {
    return new MongoStore({ uri, databaseName, limits, clock, log });
  } catch (error) {
    if (!(error instanceof CodedError)) throw error;
    throw new ConfigError('The settings (.env and the environment)', [
      { field: 'MONGO_DB_URI', message: error.message },
    ]);
  }
}
