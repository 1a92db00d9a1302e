import type { UpstreamRequest } from '../rig/case-upstream.ts';
import type { ClientSaw } from './client-saw.ts';
import type { ExchangePlan, PlannedFields } from './exchange-plan.ts';
import { responseBytes } from './wire.ts';

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** What a proxy that only passes on must have done, and did not; undefined when all is as planned. */
export function deviation(
  plan: ExchangePlan,
  saw: ClientSaw,
  requests: readonly UpstreamRequest[],
): string | undefined {
  return requestDeviation(plan, saw, requests) ?? responseDeviation(plan, saw);
}

function requestDeviation(
  plan: ExchangePlan,
  saw: ClientSaw,
  requests: readonly UpstreamRequest[],
): string | undefined {
  const { request, response, upstreamBreak } = plan;
  const mayRepeat = upstreamBreak !== undefined && IDEMPOTENT.has(request.method);
  if (requests.length > (mayRepeat ? 2 : 1)) return `${requests.length} requests upstream`;
  if (requests.length === 0)
    return saw.left ? undefined : `nothing reached the upstream: ${String(saw.status)} ${saw.content.slice(0, 300)}`;
  const mustBeWhole = !saw.left && response.answersAt === 'end' && plan.clientBreak === undefined;
  for (const one of requests) {
    const found = oneRequestDeviation(plan, one, mustBeWhole);
    if (found !== undefined) return found;
  }
  return undefined;
}

function oneRequestDeviation(
  plan: ExchangePlan,
  { message }: UpstreamRequest,
  mustBeWhole: boolean,
): string | undefined {
  const { method, path, fields, hopFields, parts, trailers } = plan.request;
  if (message.startLine !== `${method} ${path} HTTP/1.1`) return `request line ${message.startLine}`;
  const fault = fieldFault(fields, hopFields, message.fields);
  if (fault !== undefined) return `request: ${fault}`;
  const content = parts.join('');
  if (!content.startsWith(message.content)) return 'other content upstream';
  if (!message.complete) return mustBeWhole ? 'the request is not whole upstream' : undefined;
  // A client that left in the middle may never look like one that had said all.
  if (message.content !== content) return 'a part of the content looks like the whole upstream';
  return sameFields(trailers, message.trailers) ? undefined : 'other request trailers upstream';
}

function responseDeviation(plan: ExchangePlan, saw: ClientSaw): string | undefined {
  if (saw.fault !== undefined) return `the client cannot read: ${saw.fault}`;
  if (saw.hangs) return 'the client waits for ever';
  const prefix = prefixFault(plan, saw);
  if (prefix !== undefined) return prefix;
  if (saw.left) return undefined;
  return plan.upstreamBreak === undefined ? wholeFault(plan, saw) : brokenFault(plan, saw);
}

/** Whatever the end, what came is a beginning of what was sent, or an answer of the proxy. */
function prefixFault({ response, request }: ExchangePlan, saw: ClientSaw): string | undefined {
  for (const status of saw.interim)
    if (status !== 100 && !response.interim.includes(status)) return `interim ${status}`;
  if (saw.status === undefined || saw.status === 502) return undefined;
  if (saw.status !== response.status) return `status ${saw.status}`;
  const content = request.method === 'HEAD' ? '' : response.parts.join('');
  if (!content.startsWith(saw.content)) return 'other content for the client';
  const fault = fieldFault(response.fields, response.hopFields, saw.fields);
  return fault === undefined ? undefined : `response: ${fault}`;
}

function wholeFault({ http, request, response }: ExchangePlan, saw: ClientSaw): string | undefined {
  if (saw.status !== response.status) return `status ${String(saw.status)} in place of ${response.status}`;
  if (!saw.complete) return 'the answer was cut';
  const content = request.method === 'HEAD' ? '' : response.parts.join('');
  if (saw.content !== content) return 'not all content for the client';
  if (saw.interim.filter((status) => status !== 100).join() !== response.interim.join())
    return `interim ${saw.interim.join()}`;
  // In HTTP/2 nobody has to ask for them (RFC 9110 6.5).
  const takesTrailers = (http === 2 || request.takesTrailers) && request.method !== 'HEAD';
  const trailers = takesTrailers ? response.trailers : [];
  return sameFields(trailers, saw.trailers)
    ? undefined
    : `other trailers for the client: ${JSON.stringify(saw.trailers)} in place of ${JSON.stringify(trailers)}`;
}

function brokenFault(plan: ExchangePlan, saw: ClientSaw): string | undefined {
  const { interim, head, content } = responseBytes(plan);
  const { at, how } = plan.upstreamBreak ?? { at: 1, how: 'end' };
  const sent = Math.floor(at * (interim.length + head.length + content.length));
  const headSent = sent >= interim.length + head.length;
  const allSent = sent >= interim.length + head.length + content.length;
  const isEnd =
    allSent || (headSent && content === '') || (headSent && how === 'end' && plan.response.framing === 'close');
  if (saw.status === 502) {
    // A reset takes what lies in buffers with it.
    if (headSent && how === 'end') return '502 though the head had come';
    return saw.complete ? undefined : 'a 502 that was cut';
  }
  if (!saw.complete) return allSent && how === 'end' ? 'a whole answer was cut' : undefined;
  return isEnd ? undefined : `a clean end of a broken answer (${sent} bytes sent)`;
}

/** The planned fields come with their values in their order; those of the connection do not come. */
function fieldFault(planned: PlannedFields, hop: PlannedFields, seen: PlannedFields): string | undefined {
  const left = hop.find(([name]) => name.startsWith('hop-') && seen.some(([other]) => other.toLowerCase() === name));
  if (left !== undefined) return `${left[0]} travelled`;
  for (const name of new Set(planned.map(([one]) => one.toLowerCase()))) {
    const wanted = valuesIn(planned, name);
    const got = valuesIn(seen, name);
    if (wanted !== got) return `${name}: ${JSON.stringify(got)} in place of ${JSON.stringify(wanted)}`;
  }
  return undefined;
}

function sameFields(planned: PlannedFields, seen: PlannedFields): boolean {
  return seen.length === planned.length && fieldFault(planned, [], seen) === undefined;
}

function valuesIn(fields: PlannedFields, name: string): string {
  return fields
    .filter(([one]) => one.toLowerCase() === name)
    .map(([, value]) => value)
    .join(' | ');
}
