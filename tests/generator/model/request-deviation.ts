import type { Http1Message } from '../../conformance/rig/http1-reader.ts';
import type { ClientSaw } from '../clients/client-saw.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { fieldFault, trailerFault } from './field-fault.ts';

/** RFC 9110 9.2.2. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What the upstream has to see of a request: the whole of it once, or a beginning that does not look like the whole. */
export function requestDeviation(
  plan: ExchangePlan,
  saw: ClientSaw,
  requests: readonly Http1Message[],
): string | undefined {
  const { request, response, client, upstream } = plan;
  const mayRepeat = upstream.breaks !== undefined && IDEMPOTENT.has(request.method);
  if (requests.length > (mayRepeat ? 2 : 1)) return `${requests.length} requests upstream`;
  if (requests.length === 0) return saw.left ? undefined : 'nothing reached the upstream';
  const mustBeWhole = client.leaves === undefined && response.answersAt === 'end';
  for (const one of requests) {
    const found = messageFault(plan, one, mustBeWhole);
    if (found !== undefined) return found;
  }
  return undefined;
}

function messageFault({ request }: ExchangePlan, message: Http1Message, mustBeWhole: boolean): string | undefined {
  const { method, path, fields, hopFields, parts, trailers } = request;
  if (message.startLine !== `${method} ${path} HTTP/1.1`) return `request line ${message.startLine}`;
  const fault = fieldFault(fields, hopFields, message.fields);
  if (fault !== undefined) return `request: ${fault}`;
  const content = parts.join('');
  if (!content.startsWith(message.content)) return 'other content upstream';
  if (!message.complete) return mustBeWhole ? 'the request is not whole upstream' : undefined;
  // A client that left in the middle may never look like one that had said all.
  if (message.content !== content) return 'a part of the content looks like the whole upstream';
  const trailer = trailerFault(trailers, message.trailers);
  return trailer === undefined ? undefined : `other request trailers upstream: ${trailer}`;
}
