import { statusOf, type Http1Message } from '../../conformance/rig/http1-reader.ts';
import type { PlannedFields } from '../plan/exchange-plan.ts';

/** What a client saw of one exchange. */
export interface ClientSaw {
  /** The client broke off itself. */
  left: boolean;
  readonly interim: number[];
  status: number | undefined;
  fields: PlannedFields;
  content: string;
  trailers: PlannedFields;
  /** Over HTTP/2: the head was all there was. */
  endedWithHead: boolean;
  /** The answer came to its end as a whole message. */
  complete: boolean;
  /** What it could not understand. */
  fault: string | undefined;
  /** Nothing came to any end in time. */
  hangs: boolean;
}

export function nothingSeen(): ClientSaw {
  return {
    ...{ left: false, interim: [], status: undefined, fields: [], content: '', trailers: [], endedWithHead: false },
    ...{ complete: false, fault: undefined, hangs: false },
  };
}

/** Notes the messages of HTTP/1 that came in answer to one request. */
export function noteMessages(saw: ClientSaw, messages: readonly Http1Message[], fault: string | undefined): void {
  saw.fault = fault;
  const [final, ...more] = messages.filter((message) => statusOf(message) >= 200);
  for (const message of messages) if (statusOf(message) < 200) saw.interim.push(statusOf(message));
  if (more.length > 0) saw.fault = 'more than one answer';
  if (final === undefined) return;
  saw.status = statusOf(final);
  saw.fields = final.fields;
  saw.content = final.content;
  saw.trailers = final.trailers;
  saw.complete = final.complete;
}
