import { REPLICA_SET_KEY_PATH } from '../../../config/manifest/replica-set.ts';
import type { ServiceSpec } from '../../../config/service-spec.ts';
import { TRUST_PATH, type CreateContext } from '../containers/create-options.ts';
import type { Engine } from '../engine/engine.ts';
import type { ContainerFile } from '../containers/put-files.ts';
import { userIds } from '../containers/user-ids.ts';

/** As whom the official images run mongod, when they are started as root. */
const MONGOD_USER = 'mongodb';

/** What the daemon puts into a container of a service before it starts. */
export async function ownFiles(
  engine: Engine,
  id: string,
  { user }: ServiceSpec,
  { trust, replicaSetKey }: Pick<CreateContext, 'trust' | 'replicaSetKey'>,
): Promise<ContainerFile[]> {
  const files: ContainerFile[] = [];
  if (trust !== undefined) files.push({ path: TRUST_PATH, mode: 0o644, content: trust });
  if (replicaSetKey !== undefined) {
    // mongod refuses a key that anybody else could read.
    const owner = await userIds(engine, id, user ?? MONGOD_USER);
    files.push({ path: REPLICA_SET_KEY_PATH, mode: 0o400, content: replicaSetKey, owner });
  }
  return files;
}
