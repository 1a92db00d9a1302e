import type { ServiceFields } from './manifest-schema.ts';
import type { ProblemList } from './problem-list.ts';
import { collide } from './publish.ts';
import type { PublishSpec } from '../service-spec.ts';

/** What only one service may have: a route, a port of the host. */
export function checkSharedClaims(
  services: ReadonlyMap<string, ServiceFields>,
  reservedHosts: readonly string[],
  problems: ProblemList,
): void {
  checkRoutes(services, new Set(reservedHosts), problems);
  checkPublished(services, problems);
}

function checkRoutes(
  services: ReadonlyMap<string, ServiceFields>,
  reserved: ReadonlySet<string>,
  problems: ProblemList,
): void {
  const owners = new Map<string, string>();
  for (const [name, { routes }] of services) {
    routes.forEach(({ host, path }, index) => {
      const place = `services.${name}.routes[${index}]`;
      const owner = owners.get(host + path);
      if (reserved.has(host)) problems.add(place, `is refused: ${host} is where the dashboard and the API answer`);
      else if (owner !== undefined) problems.add(place, `is a duplicate route: ${host}${path} is already ${owner}`);
      else owners.set(host + path, place);
    });
  }
}

function checkPublished(services: ReadonlyMap<string, ServiceFields>, problems: ProblemList): void {
  const taken: { readonly place: string; readonly publish: PublishSpec }[] = [];
  for (const [name, fields] of services) {
    fields.publish.forEach((publish, index) => {
      const place = `services.${name}.publish[${index}]`;
      const other = taken.find((one) => collide(one.publish, publish));
      if (other) problems.add(place, `takes port ${publish.hostPort} of the host, as ${other.place} does`);
      taken.push({ place, publish });
    });
  }
}
