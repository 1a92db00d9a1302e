import type { ClientSaw } from '../clients/client-saw.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { bytesBeforeBreak, responseBytes } from '../wire.ts';
import { fieldFault, trailerFault } from './field-fault.ts';

/** What the client has to see of a response: all of it, or a beginning that does not look like all, or a 502. */
export function responseDeviation(plan: ExchangePlan, saw: ClientSaw): string | undefined {
  const begins = beginningFault(plan, saw);
  if (begins !== undefined || saw.left) return begins;
  return plan.upstream.breaks === undefined ? wholeFault(plan, saw) : brokenFault(plan, saw);
}

/** Whatever the end, what came is a beginning of what was sent, or an answer of the proxy. */
function beginningFault({ response, request, client }: ExchangePlan, saw: ClientSaw): string | undefined {
  for (const status of saw.interim)
    if (client.http === '1.0' || (status !== 100 && !response.interim.includes(status))) return `interim ${status}`;
  if (saw.status === undefined || saw.status === 502) return undefined;
  if (saw.status !== response.status) return `status ${saw.status}`;
  const content = request.method === 'HEAD' ? '' : response.parts.join('');
  if (!content.startsWith(saw.content)) return 'other content for the client';
  const fault = fieldFault(response.fields, response.hopFields, saw.fields);
  return fault === undefined ? undefined : `response: ${fault}`;
}

function wholeFault(plan: ExchangePlan, saw: ClientSaw): string | undefined {
  const { client, request, response } = plan;
  if (saw.status !== response.status) return `status ${String(saw.status)} in place of ${response.status}`;
  if (!saw.complete) return 'the answer was cut';
  const content = request.method === 'HEAD' ? '' : response.parts.join('');
  if (saw.content !== content) return 'not all content for the client';
  // In HTTP/2 nobody has to ask for them (RFC 9110 6.5).
  const takesTrailers = (client.http === '2' || request.takesTrailers) && request.method !== 'HEAD';
  const trailer = trailerFault(takesTrailers ? response.trailers : [], saw.trailers);
  return trailer === undefined ? interimFault(plan, saw) : `other trailers for the client: ${trailer}`;
}

function interimFault({ client, response }: ExchangePlan, saw: ClientSaw): string | undefined {
  const interim = saw.interim.filter((status) => status !== 100).join();
  const planned = client.http === '1.0' ? '' : response.interim.join();
  // A hint must not overtake the answers before it in a pipeline: the first ones may be left out.
  const holds = client.pipelined ? planned.endsWith(interim) : planned === interim;
  return holds ? undefined : `interim ${interim} in place of ${planned}`;
}

function brokenFault(plan: ExchangePlan, saw: ClientSaw): string | undefined {
  const { interim, head, content } = responseBytes(plan);
  const sent = bytesBeforeBreak(plan);
  const headSent = sent >= interim.length + head.length;
  const allSent = sent >= interim.length + head.length + content.length;
  // A reset takes what lies in buffers with it.
  const reliable = plan.upstream.http !== '2' && plan.upstream.breaks?.how === 'end';
  if (saw.status === 502) {
    if (headSent && reliable) return '502 though the head had come';
    return saw.complete ? undefined : 'a 502 that was cut';
  }
  if (!saw.complete) return allSent && reliable ? 'a whole answer was cut' : undefined;
  const mayLookWhole = allSent || (headSent && (content === '' || cutIsInvisible(plan, reliable)));
  return mayLookWhole ? undefined : `a clean end of a broken answer (${sent} bytes sent)`;
}

function cutIsInvisible({ client, response }: ExchangePlan, closed: boolean): boolean {
  if (response.framing === 'close') return closed || client.http === '1.0';
  // HTTP/1.0 has no chunks: a close without the alert of TLS is all that could tell, and node:tls does not show it.
  return client.http === '1.0' && response.framing !== 'length';
}
