import { portsOf, type ServiceSpec } from '../../config/service-spec.ts';
import { messageOf } from '../../lib/coded-error.ts';
import type { Logger } from '../../lib/logger.ts';
import type { Company } from '../company/company.ts';
import type { Runtime } from '../runtime.ts';
import type { Instances } from './instances.ts';
import type { Wakes } from './wakes.ts';

export interface ReplacingTools {
  readonly instances: Instances;
  readonly wakes: Wakes;
  readonly runtime: Pick<Runtime, 'configHash'>;
  readonly company: Pick<Company, 'confirm'>;
  readonly log: Logger;
  /** The newest manifest entry. */
  readonly spec: () => ServiceSpec;
}

/** Replaces what serves from an older manifest entry than the newest. */
export class Replacing {
  readonly #tools: ReplacingTools;

  constructor(tools: ReplacingTools) {
    this.#tools = tools;
  }

  /** Whatever can fail early (a build) fails before anything is stopped. @throws WakeFailed */
  async run(): Promise<void> {
    const { instances, wakes, runtime, company, spec } = this.#tools;
    const hash = runtime.configHash(spec());
    const stale = instances.all.filter(({ configHash, state }) => configHash !== hash && state.kind === 'ready');
    if (stale.length === 0 || !(await company.confirm(instances.startedHere))) return;
    await wakes.run('replace', stale);
  }

  /** In its own time; when it fails, what serves goes on. */
  runSoon(): void {
    const { log, spec } = this.#tools;
    this.run().catch((error: unknown) => {
      const { name } = spec();
      log.warn({ service: name, err: error }, `${name} runs on from an old configuration: ${messageOf(error)}`);
    });
  }

  /** Requests go to the ports of the newest entry: where nobody answers there, they wait until what serves is replaced. */
  async untilPortsAnswer(): Promise<void> {
    const { instances, spec } = this.#tools;
    const { serving } = instances;
    const answers = serving.some((instance) => instance.answersAt(portsOf(spec())));
    if (!answers && serving.length > 0) await this.run();
  }
}
