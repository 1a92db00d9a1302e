import { randomBytes } from 'node:crypto';
import { beforeAll, describe } from 'vitest';
import { DockerRuntime } from '../../src/runtimes/docker/docker-runtime.ts';
import { dockerAvailable, fixtureImage, removeDockerProject } from '../support/servers/docker.ts';
import { dockerOptions } from '../support/samples/docker-options.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';
import { runtimeSuite } from './runtime-suite.ts';

const available = await dockerAvailable();

describe.skipIf(!available)('the Docker runtime', () => {
  let image = '';
  let count = 0;

  beforeAll(async () => {
    image = await fixtureImage();
  });

  for (const endpoints of ['direct', 'published'] as const) {
    runtimeSuite(`Docker, endpoints ${endpoints}`, {
      open: async () => {
        const project = `rv-contract-${randomBytes(4).toString('hex')}`;
        const runtime = new DockerRuntime(dockerOptions(project, { endpoints }));
        await runtime.start();
        return {
          runtime,
          close: async () => {
            await runtime.close();
            await removeDockerProject(project);
          },
        };
      },
      spec: (overrides = {}) => {
        count += 1;
        return serviceSpec({ name: `svc-${count}`, source: { kind: 'image', image, pull: 'never' }, ...overrides });
      },
      missing: () =>
        serviceSpec({ name: 'absent', source: { kind: 'image', image: 'reveille-absent:none', pull: 'never' } }),
    });
  }
});
