import { parsedBy, Unacceptable } from '../parsed-type.ts';
import { replicaSetProgram } from './replica-set-program.ts';
import type { ServiceSpec } from '../service-spec.ts';

/** Where the key stands by which the members know each other; the runtime puts it there. */
export const REPLICA_SET_KEY_PATH = '/etc/reveille/replica-set-key';

/** The one that may do everything, made at the first start, unless `env` names another. */
const DEFAULT_USER = { MONGO_INITDB_ROOT_USERNAME: 'mongoadmin', MONGO_INITDB_ROOT_PASSWORD: 'secret' };

/** The name of a MongoDB replica set: `rs0`. */
export const replicaSetType = parsedBy((value) => {
  if (typeof value !== 'string' || !/^[A-Za-z0-9][A-Za-z0-9_.-]{0,62}$/.test(value)) {
    throw new Unacceptable("must be the name of a replica set, such as 'rs0'");
  }
  return value;
});

/** A replica set is more than the image: how mongod is started, who may do what, and when it is ready. */
export function withReplicaSet(spec: ServiceSpec): ServiceSpec {
  const { replicaSet, port, command = ['mongod'] } = spec;
  if (replicaSet === undefined) return spec;
  const own = ['--replSet', replicaSet, '--keyFile', REPLICA_SET_KEY_PATH, '--bind_ip_all', '--port', String(port)];
  const ask = ['mongosh', '--quiet', '--norc', '--port', String(port), '--eval'];
  return {
    ...spec,
    command: [...command, ...own],
    env: { ...DEFAULT_USER, ...spec.env },
    readiness: {
      ...spec.readiness,
      strategy: { kind: 'exec', command: [...ask, replicaSetProgram(replicaSet, port)] },
    },
  };
}
