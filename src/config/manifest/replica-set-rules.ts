import type { ServiceFields } from './manifest-schema.ts';
import type { ProblemList } from './problem-list.ts';

/** A replica set of one member, which everybody reaches under one name and port. */
export function checkReplicaSet(place: string, fields: ServiceFields, problems: ProblemList): void {
  const { replicaSet, publish, port, scale, command, job, readiness, process, url } = fields;
  if (replicaSet === undefined || url) return;
  const refuse = (message: string): void => problems.add(`${place}.replicaSet`, message);
  if (process) refuse("cannot stand beside 'process': it runs in a container");
  if (job) refuse("cannot stand beside 'job'");
  if (scale.max > 1) refuse(`cannot stand beside scale.max ${scale.max}: the set has one member`);
  if (readiness.strategy.kind !== 'auto')
    refuse("cannot stand beside 'readiness': the set itself says when it is ready");
  if (command?.[0] === '/bin/sh')
    problems.add(`${place}.command`, "must be a list, to which 'replicaSet' adds its own");
  publish.forEach(({ containerPort, hostPort }, index) => {
    if (containerPort !== port || hostPort === port) return;
    const message = `must publish ${port} as ${port}: members of a replica set have one address for everybody`;
    problems.add(`${place}.publish[${index}]`, message);
  });
}
