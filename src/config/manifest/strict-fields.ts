import { z } from 'zod';
import { closestName } from '../closest-name.ts';

const ISOLATION = 'is refused: it would give the service rights over the host';

/** What people bring along from docker run and compose files. */
const FOREIGN_FIELDS: Readonly<Record<string, string>> = {
  privileged: ISOLATION,
  capadd: ISOLATION,
  devices: ISOLATION,
  securityopt: ISOLATION,
  pid: ISOLATION,
  ipc: ISOLATION,
  usernsmode: ISOLATION,
  cgroupparent: ISOLATION,
  network: 'is refused: every service is on DOCKER_NETWORK, and never on the network of the host',
  networkmode: 'is refused: every service is on DOCKER_NETWORK, and never on the network of the host',
  networks: 'is refused: every service is on DOCKER_NETWORK, and never on the network of the host',
  ports: 'is not a field; use "port" for what requests go to and "publish" for what is not HTTP',
  expose: 'is not a field; did you mean "port"?',
  environment: 'is not a field; did you mean "env"?',
  healthcheck: 'is not a field; did you mean "readiness"?',
  cpus: 'is not a field here; did you mean "resources.cpus"?',
  memory: 'is not a field here; did you mean "resources.memory"?',
  restart: 'is not a field: Reveille restarts what ought to run; "scale.min" keeps it awake',
  replicas: 'is not a field; did you mean "scale.min"?',
};

function complaintAbout(key: string, known: readonly string[]): string {
  const plain = key.toLowerCase().replaceAll(/[_-]/g, '');
  const foreign = Object.hasOwn(FOREIGN_FIELDS, plain) ? FOREIGN_FIELDS[plain] : undefined;
  if (foreign !== undefined) return foreign;
  const closest = closestName(key, known);
  return closest === undefined
    ? `is not a field; known are ${known.join(', ')}`
    : `is not a field; did you mean "${closest}"?`;
}

/**
 * An object with these fields and no other. Each unknown field is an issue of its own, in words that follow its name,
 * and does not keep the others from being checked.
 */
export function strictFields<Shape extends z.ZodRawShape>(shape: Shape): z.ZodType<z.output<z.ZodObject<Shape>>> {
  const known = Object.keys(shape);
  const fields = z.object(shape, { error: 'must be an object with named fields' });
  return z.unknown().transform((value, context) => {
    const result = fields.safeParse(value);
    const isObject = typeof value === 'object' && value !== null && !Array.isArray(value);
    for (const key of isObject ? Object.keys(value) : []) {
      if (Object.hasOwn(shape, key)) continue;
      context.issues.push({ code: 'custom', path: [key], message: complaintAbout(key, known), input: value });
    }
    for (const issue of result.error?.issues ?? []) context.issues.push({ ...issue, input: value } as never);
    return result.success ? result.data : z.NEVER;
  });
}
