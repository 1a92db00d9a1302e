import { spawnSync } from 'node:child_process';
import { readdir, readFile, realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { librariesNeededBy } from '../../../src/runtimes/docker/images/shared-libraries.ts';
import { testImage, type ContextFile } from './docker.ts';

const FIXTURE = fileURLToPath(new URL('../../fixtures/mosquitto', import.meta.url));
/** These come with Node, and must be those of one C library. */
const OF_THE_BASE = /^(ld-linux.*|libc\.so\.6|libm\.so\.6)$/;

const DOCKERFILE = `FROM reveille-base:20
USER root
RUN echo 'mosquitto:x:1883:1883::/mosquitto:/bin/false' >> /etc/passwd \\
 && echo 'mosquitto:x:1883:' >> /etc/group \\
 && mkdir -p /mosquitto/config /mosquitto/data /mosquitto/log \\
 && chown -R 1883:1883 /mosquitto
COPY opt/ /opt/mosquitto/
COPY docker-entrypoint.sh /
RUN mkdir -p /usr/sbin && ln -s /opt/mosquitto/mosquitto.mjs /usr/sbin/mosquitto
VOLUME ["/mosquitto/data", "/mosquitto/log"]
EXPOSE 1883
ENTRYPOINT ["/docker-entrypoint.sh"]
CMD ["/usr/sbin/mosquitto", "-c", "/mosquitto/config/mosquitto.conf"]
`;

/** An image around this machine's mosquitto, with what the product needs of eclipse-mosquitto: paths, user, entry point. */
export async function mosquittoImage(): Promise<string> {
  const binary = spawnSync('sh', ['-c', 'command -v mosquitto'], { encoding: 'utf8' }).stdout.trim();
  const libraries = await librariesNeededBy(binary);
  const own = libraries.filter((path) => !OF_THE_BASE.test(basename(path)));
  return testImage('reveille-mosquitto', [
    { name: 'Dockerfile', content: DOCKERFILE },
    { name: 'docker-entrypoint.sh', content: await readFile(join(FIXTURE, 'docker-entrypoint.sh')), mode: 0o755 },
    { name: 'opt/mosquitto.mjs', content: await readFile(join(FIXTURE, 'mosquitto.mjs')), mode: 0o755 },
    { name: 'opt/mosquitto', content: await readFile(binary), mode: 0o755 },
    ...(await Promise.all(own.map((path) => copied(path, `opt/lib/${basename(path)}`)))),
    ...(await webSockets()),
  ]);
}

async function copied(path: string, name: string): Promise<ContextFile> {
  return { name, content: await readFile(await realpath(path)), mode: 0o755 };
}

async function webSockets(): Promise<ContextFile[]> {
  const folder = dirname(createRequire(import.meta.url).resolve('ws/package.json'));
  const library = (await readdir(join(folder, 'lib'))).map((name) => `lib/${name}`);
  const names = ['package.json', 'index.js', 'wrapper.mjs', ...library];
  return Promise.all(names.map((name) => copied(join(folder, name), `opt/node_modules/ws/${name}`)));
}
