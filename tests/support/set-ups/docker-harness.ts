import { randomBytes } from 'node:crypto';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import type { ObservedInstance, PrepareOptions, RuntimeEvent } from '../../../src/fleet/runtime.ts';
import { DockerRuntime, type DockerRuntimeOptions } from '../../../src/runtimes/docker/docker-runtime.ts';
import { removeDockerProject } from '../servers/docker.ts';
import { dockerOptions } from '../samples/docker-options.ts';
import { serviceSpec } from '../samples/service-spec.ts';

export const PREPARE: PrepareOptions = { onProgress: () => undefined, signal: new AbortController().signal };

/** A project of its own on the real engine, with any number of daemons. Nothing of it is left after `close`. */
export class DockerHarness {
  readonly project = `rv-test-${randomBytes(4).toString('hex')}`;
  readonly #runtimes: DockerRuntime[] = [];
  readonly #image: string;

  constructor(image: string) {
    this.#image = image;
  }

  /** A driver that has not been started. */
  make(changes: Partial<DockerRuntimeOptions> = {}): DockerRuntime {
    const runtime = new DockerRuntime(dockerOptions(this.project, changes));
    this.#runtimes.push(runtime);
    return runtime;
  }

  async open(changes: Partial<DockerRuntimeOptions> = {}): Promise<DockerRuntime> {
    const runtime = this.make(changes);
    await runtime.start();
    return runtime;
  }

  spec(changes: Partial<ServiceSpec> = {}): ServiceSpec {
    return serviceSpec({ source: { kind: 'image', image: this.#image, pull: 'never' }, ...changes });
  }

  async launch(runtime: DockerRuntime, spec = this.spec()): Promise<ObservedInstance> {
    const { runtimeId } = await runtime.create(spec, 1, await runtime.prepare(spec, PREPARE));
    return runtime.startInstance(runtimeId);
  }

  async close(): Promise<void> {
    await Promise.all(this.#runtimes.map((runtime) => runtime.close()));
    await removeDockerProject(this.project);
  }
}

/** All that a driver reports from now on. */
export function record(runtime: DockerRuntime): RuntimeEvent[] {
  const events: RuntimeEvent[] = [];
  runtime.onEvent((event) => events.push(event));
  return events;
}
