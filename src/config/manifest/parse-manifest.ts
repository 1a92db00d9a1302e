import { closestName } from '../closest-name.ts';
import { ConfigError } from '../config-error.ts';
import { deepFreeze } from '../deep-freeze.ts';
import { checkDependencies, dependentOf, resolveDependencies, type Dependent } from './dependencies.ts';
import { serviceSchema, type ManifestContext, type ServiceFields } from './manifest-schema.ts';
import { ProblemList } from './problem-list.ts';
import { withReplicaSet } from './replica-set.ts';
import { checkFields, checkPresence } from './service-rules.ts';
import { complaintAboutServiceName } from './service-name.ts';
import type { Manifest, ServiceSpec } from '../service-spec.ts';
import { checkSharedClaims } from './shared-claims.ts';

function isPlainObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/**
 * Checks what a manifest exports and says what it means: defaults filled in, units converted, names made full.
 *
 * @throws ConfigError with every problem, each with its field, such as `services.backend.scale.min`.
 */
export function parseManifest(input: unknown, context: ManifestContext): Manifest {
  const problems = new ProblemList();
  const written = servicesOf(input, problems);
  const schema = serviceSchema(context);
  const services = new Map<string, ServiceFields>();
  const dependents = new Map<string, Dependent>();
  for (const [name, value] of written) {
    const place = `services.${name}`;
    const complaint = complaintAboutServiceName(name);
    if (complaint !== undefined) problems.add(place, complaint);
    if (isPlainObject(value)) checkPresence(place, value, problems);
    const result = schema.safeParse(value);
    if (result.success) checkFields(place, result.data, problems);
    if (result.success) services.set(name, result.data);
    else problems.addIssues(place, result.error.issues);
    dependents.set(name, result.data ?? dependentOf(isPlainObject(value) ? value['dependsOn'] : undefined));
  }
  checkDependencies(dependents, new Set(written.keys()), problems);
  checkSharedClaims(services, context.reservedHosts ?? [], problems);
  if (problems.all.length > 0) throw new ConfigError('The manifest', problems.all);
  const isJob = (name: string): boolean => services.get(name)?.job ?? false;
  return new Map(
    [...services].map(([name, fields]) => [name, deepFreeze(withReplicaSet(specOf(name, fields, isJob)))]),
  );
}

function servicesOf(input: unknown, problems: ProblemList): Map<string, unknown> {
  if (!isPlainObject(input)) {
    problems.add('manifest', 'must be an object such as { services: { … } }');
    return new Map();
  }
  for (const key of Object.keys(input)) {
    if (key === 'services') continue;
    const meant = closestName(key, ['services']);
    problems.add(
      key,
      `is not a field${meant === undefined ? "; the only one is 'services'" : `; did you mean "${meant}"?`}`,
    );
  }
  if (isPlainObject(input['services'])) return new Map(Object.entries(input['services']));
  problems.add('services', 'must be an object of services by their names');
  return new Map();
}

function sourceOf(fields: ServiceFields): ServiceSpec['source'] {
  if (fields.build) return fields.build;
  if (fields.url) return { kind: 'url', urls: fields.url };
  if (fields.image === undefined) return { kind: 'process' };
  return { kind: 'image', image: fields.image, pull: fields.pull ?? 'missing' };
}

function specOf(name: string, fields: ServiceFields, isJob: (name: string) => boolean): ServiceSpec {
  const { command, user, process, replicaSet } = fields;
  return {
    name,
    routes: fields.routes.map(({ host, path, port = fields.port }) => ({ host, path, port })),
    source: sourceOf(fields),
    ...(process && { process }),
    port: fields.port,
    publish: fields.publish,
    ...(command && { command }),
    env: Object.assign({}, ...fields.envFile, fields.env) as Record<string, string>,
    volumes: fields.volumes,
    ...(user !== undefined && { user }),
    labels: fields.labels,
    protocol: fields.protocol,
    resources: fields.resources,
    readiness: fields.readiness,
    dependsOn: resolveDependencies(fields.dependsOn, isJob),
    job: fields.job,
    ...(replicaSet !== undefined && { replicaSet }),
    sleep: fields.sleep,
    wake: fields.wake,
    scale: fields.scale,
    balance: fields.balance,
    sticky: fields.sticky,
    breaker: fields.breaker,
    monitor: fields.monitor,
  };
}
