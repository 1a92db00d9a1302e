import { z } from 'zod';
import { command, flag, listOf, oneOf, oneOrMore, text, whole } from './field-values.ts';
import { envFileType } from './env-files.ts';
import { resolveManifestPath } from './manifest-path.ts';
import { chosenBy, parsedBy, Unacceptable } from '../parsed-type.ts';
import { port } from './port.ts';
import { publishType } from './publish.ts';
import { readinessType } from './readiness.ts';
import { replicaSetType } from './replica-set.ts';
import { routeType } from './routes.ts';
import { monitorType, scaleType } from './scaling.ts';
import type { DependencyCondition } from '../service-spec.ts';
import { sourceFields } from './service-source.ts';
import { sleepType } from './sleep.ts';
import { strictFields } from './strict-fields.ts';
import { environmentMap, labelMap } from './string-map.ts';
import { durationMs, parseSize, someDurationMs } from '../units.ts';
import { volumeType } from './volumes.ts';

/** Where the manifest stands and what its names are relative to. */
export interface ManifestContext {
  readonly domain: string;
  /** The container port of a service that names none. */
  readonly defaultPort: number;
  /** The absolute folder that relative paths start from. */
  readonly baseDir: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Hosts that the daemon answers itself, such as the dashboard's. */
  readonly reservedHosts?: readonly string[];
  /** Told every file that the manifest is made of, also when it turns out to be broken. */
  onFile?(path: string): void;
}

/** Docker starts nothing with less. */
const LEAST_MEMORY_BYTES = 6 * 1024 ** 2;

const resources = strictFields({
  cpus: parsedBy((value) => {
    if (typeof value !== 'number' || !(value >= 0.01 && value <= 1024)) {
      throw new Unacceptable('must be a number of cores, such as 0.5 or 2');
    }
    return value;
  }).default(1),
  memory: parsedBy((value) => {
    const size = parseSize(value);
    if (size < LEAST_MEMORY_BYTES) throw new Unacceptable("must be at least '6m'");
    return size;
  }).prefault('512m'),
}).transform((given) => ({ cpus: given.cpus, memoryBytes: given.memory }));

const wake = strictFields({
  timeout: someDurationMs.prefault('60s'),
  maxWaiting: whole(1).default(1000),
  page: chosenBy<'auto' | false>((value) => (value === false ? z.literal(false) : oneOf('auto'))).default('auto'),
  pageAfter: durationMs.prefault('800ms'),
}).transform((given) => ({
  timeoutMs: given.timeout,
  maxWaiting: given.maxWaiting,
  page: given.page,
  pageAfterMs: given.pageAfter,
}));

const breaker = strictFields({
  failures: whole(1).default(5),
  openFor: someDurationMs.prefault('30s'),
}).transform((given) => ({ failures: given.failures, openForMs: given.openFor }));

/** Undefined = what suits the dependency: ready, or completed for a job. */
export type WantedDependencies = Readonly<Record<string, DependencyCondition | undefined>>;

const condition = oneOf('ready', 'started', 'completed');
export const dependencies = chosenBy<WantedDependencies>((value) =>
  Array.isArray(value)
    ? listOf(text).transform((names) => Object.fromEntries(names.map((name) => [name, undefined])))
    : z.record(z.string(), condition, "must be a list of services, or an object such as { db: 'ready' }"),
);

function processType(baseDir: string) {
  return strictFields({
    command,
    cwd: parsedBy((value) => {
      if (typeof value !== 'string') throw new Unacceptable('must be the path of a folder');
      return resolveManifestPath(baseDir, value);
    }).prefault('.'),
  });
}

/** The type of one service, with the defaults that do not depend on other fields. */
export function serviceSchema(context: ManifestContext) {
  const { baseDir, domain, env } = context;
  const onFile = (path: string): void => context.onFile?.(path);
  return strictFields({
    routes: listOf(routeType(domain)).default([]),
    ...sourceFields(baseDir),
    publish: listOf(publishType).default([]),
    protocol: oneOf('http', 'h2c').default('http'),
    port: port.default(context.defaultPort),
    command: command.optional(),
    env: environmentMap.default({}),
    envFile: oneOrMore(envFileType(baseDir, onFile)).default([]),
    volumes: listOf(volumeType(baseDir, env['DOCKER_HOST'])).default([]),
    user: text.optional(),
    labels: labelMap.default({}),
    process: processType(baseDir).optional(),
    resources: resources.prefault({}),
    readiness: readinessType.prefault({}),
    dependsOn: dependencies.default({}),
    job: flag.default(false),
    replicaSet: replicaSetType.optional(),
    sleep: sleepType.prefault({}),
    wake: wake.prefault({}),
    scale: scaleType.prefault({}),
    balance: oneOf('least-in-flight', 'round-robin', 'random-two').default('least-in-flight'),
    sticky: flag.default(false),
    breaker: breaker.prefault({}),
    monitor: monitorType.prefault({}),
  });
}

/** A service as it stands in the manifest, each field checked by itself. */
export type ServiceFields = z.output<ReturnType<typeof serviceSchema>>;
