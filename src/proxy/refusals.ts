import type { Dispatcher } from '../dispatch/dispatcher.ts';
import type { Clock } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { ControlLink } from '../seam/control-link.ts';
import { adviceForUnknownHost, errorOf } from './answers/error-of.ts';
import { respondWithError } from './answers/error-response.ts';
import { toProblem, type ProxyError } from './answers/problem.ts';
import type { Visit } from './visit.ts';

export interface RefusalsTools {
  readonly dispatcher: Dispatcher;
  readonly clock: Clock;
  readonly log: Logger;
  readonly development: boolean;
  readonly control: Pick<ControlLink, 'away'>;
  /** The file that says which services there are. */
  readonly manifest: string;
  readonly dashboardUrl: () => string;
}

/** What is answered where no instance answers, and noted on the visit. */
export class Refusals {
  readonly #tools: RefusalsTools;

  constructor(tools: RefusalsTools) {
    this.#tools = tools;
  }

  refuse(visit: Visit, error: ProxyError): void {
    const { development, clock } = this.#tools;
    visit.code = error.code;
    visit.detail = error.detail;
    visit.status = toProblem(error, { development }).status;
    respondWithError(visit.exchange, this.#advised(error), { development, nowEpochMs: clock.epochMs() });
  }

  /** Whatever was thrown on the way; what nobody knows is a fault of ours, and is logged as one. */
  refuseFor(visit: Visit, thrown: unknown): void {
    const known = this.#whenAway(errorOf(thrown, visit.service, this.#tools.clock.epochMs()));
    if (!known) {
      const { requestId } = visit.exchange;
      this.#tools.log.error({ err: thrown, requestId }, `a request failed in the proxy: ${messageOf(thrown)}`);
    }
    const logTail = known?.code === 'wake_timeout' ? { logTail: this.#linesOfWake(known) } : {};
    this.refuse(visit, { ...(known ?? { code: 'internal', detail: messageOf(thrown) }), ...logTail });
  }

  #advised(error: ProxyError): ProxyError {
    if (error.code !== 'unknown_host') return error;
    return { ...error, advice: adviceForUnknownHost(this.#tools.manifest, this.#tools.dashboardUrl()) };
  }

  /** Nobody was there who could have woken it: that is another reason than a service that does not become ready. */
  #whenAway(error: ProxyError | undefined): ProxyError | undefined {
    if (error?.code !== 'wake_timeout' || !this.#tools.control.away) return error;
    const detail = `the control process, which wakes ${error.service ?? 'services'}, is away; it is waited for`;
    return { ...error, code: 'control_away', detail };
  }

  /** How far a start has come that goes on without the request. */
  #linesOfWake({ service = '' }: ProxyError): readonly string[] {
    return this.#tools.dispatcher.pool(service)?.view.progress?.lines ?? [];
  }
}
