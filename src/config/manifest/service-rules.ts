import type { ServiceFields } from './manifest-schema.ts';
import type { ProblemList } from './problem-list.ts';
import { checkReplicaSet } from './replica-set-rules.ts';

/** What nobody can do for an upstream that somebody else runs. */
const RUN_FIELDS = [
  ...['pull', 'publish', 'port', 'command', 'env', 'envFile', 'volumes', 'user', 'labels', 'process', 'resources'],
  ...['dependsOn', 'job', 'replicaSet', 'wake', 'scale', 'monitor'],
];

/** Rules about which fields stand together. They look at what was written, so they hold whatever else is wrong. */
export function checkPresence(place: string, written: Readonly<Record<string, unknown>>, problems: ProblemList): void {
  const has = (field: string): boolean => Object.hasOwn(written, field) && written[field] !== undefined;
  const sources = ['image', 'build', 'url'].filter(has);
  if (sources.length === 0 && !has('process')) {
    problems.add(place, "needs one of 'image', 'build' and 'url', or 'process'");
  }
  for (const extra of sources.slice(1)) {
    problems.add(`${place}.${extra}`, `cannot stand beside '${sources[0] ?? ''}': a service has one source`);
  }
  if (has('pull') && !has('image') && !has('url')) problems.add(`${place}.pull`, "needs 'image'");
  if (!has('url')) return;
  const refused = RUN_FIELDS.filter(has);
  if (has('sleep') && written['sleep'] !== false) refused.push('sleep');
  for (const field of refused) {
    problems.add(`${place}.${field}`, "cannot stand beside 'url': Reveille does not run that upstream");
  }
}

/** Rules between fields, each of which is right by itself. */
export function checkFields(place: string, fields: ServiceFields, problems: ProblemList): void {
  const { routes, publish, volumes, scale, job, url, readiness } = fields;
  checkReplicaSet(place, fields, problems);
  if (job && routes.length > 0) problems.add(`${place}.job`, 'cannot have routes: a job ends and serves nobody');
  if (job && scale.min > 0) problems.add(`${place}.scale.min`, 'must be 0 for a job: it runs once, when it is needed');
  if (publish.length > 0 && scale.max > 1) {
    problems.add(
      `${place}.publish`,
      `cannot stand beside scale.max ${scale.max}: one port of the host serves one instance`,
    );
  }
  volumes.forEach(({ target }, index) => {
    if (volumes.findIndex((other) => other.target === target) < index) {
      problems.add(`${place}.volumes[${index}]`, `mounts over ${target}, as another volume does`);
    }
  });
  if (!url) return;
  if (fields.protocol === 'h2c' && url.some((one) => one.startsWith('https:'))) {
    problems.add(`${place}.protocol`, "cannot be 'h2c' beside an https:// URL: h2c is HTTP/2 without TLS");
  }
  const { kind } = readiness.strategy;
  if (kind === 'exec' || kind === 'docker') {
    problems.add(`${place}.readiness.${kind}`, "cannot stand beside 'url': only 'http' and 'tcp' reach that upstream");
  }
  routes.forEach((route, index) => {
    if (route.port === undefined) return;
    problems.add(`${place}.routes[${index}].port`, "cannot stand beside 'url', which names the port");
  });
}
