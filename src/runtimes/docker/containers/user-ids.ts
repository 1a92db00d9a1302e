import { pipeline } from 'node:stream/promises';
import { extract } from 'tar-stream';
import type { Engine } from '../engine/engine.ts';
import { statusOf } from '../engine/errors.ts';

export interface UserIds {
  readonly uid: number;
  readonly gid: number;
}

/** No list of users is longer. */
const MAX_BYTES = 1024 * 1024;

/** The numbers of a user, as the image of a container has them; undefined when it does not know the name. */
export async function userIds(engine: Engine, id: string, name: string): Promise<UserIds | undefined> {
  const passwd = await readPasswd(engine, id);
  for (const line of passwd.split('\n')) {
    const [user, , uid, gid] = line.split(':');
    if (user === name) return { uid: Number(uid), gid: Number(gid) };
  }
  return undefined;
}

async function readPasswd(engine: Engine, id: string): Promise<string> {
  const container = engine.docker.getContainer(id);
  try {
    const archive = await engine.call((abortSignal) => container.getArchive({ path: '/etc/passwd', abortSignal }));
    const tar = extract();
    // An error on either side ends the loop below.
    pipeline(archive, tar).catch(() => undefined);
    let text = '';
    for await (const entry of tar) {
      for await (const chunk of entry) {
        if (text.length < MAX_BYTES) text += (chunk as Buffer).toString('latin1');
      }
    }
    return text;
  } catch (error) {
    if (statusOf(error) === 404) return '';
    throw error;
  }
}
