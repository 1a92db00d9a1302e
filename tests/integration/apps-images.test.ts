import { randomBytes } from 'node:crypto';
import { fileURLToPath } from 'node:url';
import Docker from 'dockerode';
import { afterAll, describe, expect, it } from 'vitest';
import { BuildContextReader } from '../../src/runtimes/docker/images/build-context.ts';
import { dockerAvailable } from '../support/servers/docker.ts';
import { until } from '../support/until.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';

const APPS = fileURLToPath(new URL('../../apps', import.meta.url));
const BASE = 'reveille-base:20';
const docker = new Docker();

async function baseAvailable(): Promise<boolean> {
  if (!(await dockerAvailable())) return false;
  const present = await docker
    .getImage(BASE)
    .inspect()
    .then(
      () => true,
      () => false,
    );
  if (!present) console.warn(`skipped: images of the example services, for ${BASE} is not there; the daemon makes it`);
  return present;
}

describe.skipIf(!(await baseAvailable()))('the images of the example services', () => {
  const tag = `reveille-apps-test-${randomBytes(4).toString('hex')}`;
  const containers: Docker.Container[] = [];
  afterAll(async () => {
    await Promise.all(containers.map((container) => container.remove({ force: true }).catch(() => undefined)));
    const images = await docker.listImages({ filters: { reference: [`${tag}:*`] } });
    // Layers of an image may be those of another's that a test at the same time has built.
    await Promise.all(
      images.map(({ Id }) =>
        docker
          .getImage(Id)
          .remove({ force: true })
          .catch(() => undefined),
      ),
    );
  });

  it.each(['backend', 'frontend', 'stress-agent'])(
    'runs %s as nobody special, healthy, and ends it in time',
    async (name) => {
      const image = `${tag}:${name}`;
      const source = { kind: 'build', context: APPS, dockerfile: `${name}/Dockerfile`, args: {} } as const;
      const built = await new BuildContextReader().read(serviceSpec({ name, source }), source);
      const stream = await docker.buildImage(built.tar(), { t: image, dockerfile: source.dockerfile });
      await new Promise<void>((resolve, reject) => {
        docker.modem.followProgress(stream, (error: Error | null, lines: { error?: string }[]) => {
          const failed = error ?? lines.find((line) => line.error !== undefined)?.error;
          if (failed) reject(new Error(String(failed)));
          else resolve();
        });
      });
      const { Config } = await docker.getImage(image).inspect();
      expect(Config.User).toBe('node');
      const container = await docker.createContainer({
        Image: image,
        HostConfig: { ReadonlyRootfs: true, CapDrop: ['ALL'] },
      });
      containers.push(container);
      await container.start();
      const check = ((Config.Healthcheck as { Test?: string[] } | undefined)?.Test ?? []).slice(1);
      await until(async () => (await exitCodeOf(container, check)) === 0);
      // One that does not end by itself by then is killed, which is another exit code.
      await container.stop({ t: 10 });
      expect((await container.inspect()).State.ExitCode).toBe(0);
    },
  );
});

async function exitCodeOf(container: Docker.Container, command: string[]): Promise<number | null> {
  const exec = await container.exec({ Cmd: command, AttachStdout: true });
  const stream = await exec.start({});
  stream.resume();
  await new Promise((resolve) => stream.on('end', resolve));
  return (await exec.inspect()).ExitCode;
}
