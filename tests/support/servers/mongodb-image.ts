import { readFile, realpath } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { librariesNeededBy } from '../../../src/runtimes/docker/images/shared-libraries.ts';
import { testImage, type ContextFile } from './docker.ts';
import { mongoshArchive } from './mongosh.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/mongodb', import.meta.url));
/** These come with Node, and must be those of one C library. */
const OF_THE_BASE = /^(ld-linux.*|libc\.so\.6|libm\.so\.6)$/;

const DOCKERFILE = `FROM reveille-base:20
USER root
ADD mongosh.tar /opt/mongosh/
COPY opt/ /opt/mongodb/
COPY docker-entrypoint.mjs /
RUN echo 'mongodb:x:999:999::/data/db:/bin/false' >> /etc/passwd && echo 'mongodb:x:999:' >> /etc/group \\
 && mkdir -p /data/db /usr/bin && chown 999:999 /data/db \\
 && ln -s /opt/mongodb/mongod /usr/bin/mongod && ln -s /opt/mongosh/node_modules/.bin/mongosh /usr/bin/mongosh
VOLUME ["/data/db"]
EXPOSE 27017
ENTRYPOINT ["/docker-entrypoint.mjs"]
CMD ["mongod"]
`;

/** An image around a real mongod and a real mongosh, with what the product needs of the official one: paths, user, entry point. */
export async function mongodbImage(mongod: string): Promise<string> {
  const own = (await librariesNeededBy(mongod)).filter((path) => !OF_THE_BASE.test(basename(path)));
  return testImage('reveille-mongodb', [
    { name: 'Dockerfile', content: DOCKERFILE },
    { name: 'docker-entrypoint.mjs', content: await readFile(join(FIXTURE, 'docker-entrypoint.mjs')), mode: 0o755 },
    { name: 'mongosh.tar', content: await readFile(await mongoshArchive()) },
    { name: 'opt/mongod', content: await readFile(mongod), mode: 0o755 },
    ...(await Promise.all(own.map(copied))),
  ]);
}

async function copied(path: string): Promise<ContextFile> {
  return { name: `opt/lib/${basename(path)}`, content: await readFile(await realpath(path)), mode: 0o755 };
}
