import type Docker from 'dockerode';
import { engineStream, type EngineStream } from '../../../src/runtimes/docker/engine/engine-stream.ts';
import type { EngineEvent } from '../../../src/runtimes/docker/engine/event-mapper.ts';
import { jsonLines } from '../../../src/runtimes/docker/engine/json-lines.ts';

/**
 * What the engine does to the containers with a label. It is written down as it is heard: the engine remembers 256 events,
 * those of all containers together, and the tests beside this one make as many in seconds.
 */
export class ContainerEvents {
  readonly #docker: Docker;
  readonly #label: string;
  readonly #since = Math.floor(Date.now() / 1000);
  readonly #heard = new Map<string, EngineEvent>();
  #stream: EngineStream | undefined;

  constructor(docker: Docker, label: string) {
    this.#docker = docker;
    this.#label = label;
  }

  /** Resolves when it listens. @throws when no engine answers */
  async follow(): Promise<void> {
    this.#stream = await this.#open({});
    void this.#read(this.#stream).catch(() => undefined);
  }

  /** All until this moment. */
  async all(): Promise<EngineEvent[]> {
    await this.#read(await this.#open({ until: Date.now() / 1000 }));
    return [...this.#heard.values()];
  }

  end(): void {
    this.#stream?.destroy();
  }

  async #open(span: { readonly until?: number }): Promise<EngineStream> {
    const filters = { type: ['container' as const], label: [this.#label] };
    return engineStream(await this.#docker.getEvents({ since: this.#since, ...span, filters }));
  }

  async #read(stream: EngineStream): Promise<void> {
    for await (const value of jsonLines(stream)) {
      const event = value as EngineEvent;
      this.#heard.set(`${event.timeNano} ${event.Actor?.ID} ${event.Action}`, event);
    }
  }
}
