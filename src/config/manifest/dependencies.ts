import { closestName } from '../closest-name.ts';
import { dependencies, type WantedDependencies } from './manifest-schema.ts';
import type { ProblemList } from './problem-list.ts';
import type { DependencyCondition } from '../service-spec.ts';

export interface Dependent {
  readonly dependsOn: WantedDependencies;
  /** Absent while that is not known. */
  readonly job?: boolean;
}

/** The first way from a service back to itself, as names from start to end. */
function findCycle(start: string, services: ReadonlyMap<string, Dependent>): string[] | undefined {
  const seen = new Set<string>();
  const walk = (name: string, way: readonly string[]): string[] | undefined => {
    for (const next of Object.keys(services.get(name)?.dependsOn ?? {})) {
      if (next === start) return [...way, next];
      if (seen.has(next)) continue;
      seen.add(next);
      const cycle = walk(next, [...way, next]);
      if (cycle) return cycle;
    }
    return undefined;
  };
  return walk(start, [start]);
}

/** What a service depends on that is broken otherwise: that is checked all the same, so that everything wrong is told at once. */
export function dependentOf(dependsOn: unknown): Dependent {
  return { dependsOn: dependencies.safeParse(dependsOn).data ?? {} };
}

/**
 * Checks that every dependency exists, can meet its condition, and that none leads back to where it began.
 *
 * @param declared the names of all services, also of those that are broken otherwise.
 */
export function checkDependencies(
  services: ReadonlyMap<string, Dependent>,
  declared: ReadonlySet<string>,
  problems: ProblemList,
): void {
  const inKnownCycle = new Set<string>();
  for (const [name, { dependsOn }] of services) {
    const place = `services.${name}.dependsOn`;
    for (const [dependency, condition] of Object.entries(dependsOn)) {
      const complaint = complaintAbout(dependency, condition, services.get(dependency), declared);
      if (complaint !== undefined) problems.add(place, complaint);
    }
    const cycle = inKnownCycle.has(name) ? undefined : findCycle(name, services);
    if (!cycle) continue;
    cycle.forEach((member) => inKnownCycle.add(member));
    problems.add(place, `goes round in a circle: ${cycle.join(' -> ')}`);
  }
}

function complaintAbout(
  name: string,
  condition: DependencyCondition | undefined,
  dependency: Dependent | undefined,
  declared: ReadonlySet<string>,
): string | undefined {
  if (!declared.has(name)) {
    const closest = closestName(name, declared);
    return `names "${name}", which is no service${closest === undefined ? '' : `; did you mean "${closest}"?`}`;
  }
  if (condition === 'completed' && dependency?.job === false) {
    return `waits for "${name}" to be completed, but only a job completes (job: true)`;
  }
  if (condition === 'ready' && dependency?.job) {
    return `waits for "${name}" to be ready, but it is a job: 'completed' or 'started' is what it becomes`;
  }
  return undefined;
}

/** Fills in what a dependency without a condition is waited for. */
export function resolveDependencies(
  dependsOn: WantedDependencies,
  isJob: (name: string) => boolean,
): Record<string, DependencyCondition> {
  const resolved = Object.entries(dependsOn).map(([name, condition]): [string, DependencyCondition] => [
    name,
    condition ?? (isJob(name) ? 'completed' : 'ready'),
  ]);
  return Object.fromEntries(resolved);
}
