import { createHash } from 'node:crypto';
import { portsOf, type ServiceSpec } from '../../config/service-spec.ts';

/** Two specs with one hash make the same process. */
export function configHash(spec: ServiceSpec): string {
  const { name, process, env, publish, resources, port } = spec;
  const variables = Object.entries(env).sort(([one], [other]) => (one < other ? -1 : 1));
  const ports = portsOf(spec).sort((one, other) => one - other);
  return digest([name, process?.command, process?.cwd, variables, publish, resources, port, ports]);
}

/** What stands for an image: the command and where it runs. Its files are not looked at; it finds them as they are. */
export function commandId({ process }: ServiceSpec): string {
  return digest([process?.command, process?.cwd]);
}

function digest(value: unknown): string {
  return createHash('sha256').update(JSON.stringify(value)).digest('hex').slice(0, 16);
}
