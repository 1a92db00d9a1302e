import { Random } from './random.ts';

export type PlannedFields = readonly (readonly [string, string])[];

interface PlannedRequest {
  readonly method: string;
  readonly path: string;
  /** End-to-end fields, which have to arrive. */
  readonly fields: PlannedFields;
  /** Fields of the connection, which must not. */
  readonly hopFields: PlannedFields;
  readonly framing: 'none' | 'length' | 'chunked';
  readonly parts: readonly string[];
  readonly trailers: PlannedFields;
  readonly expectsContinue: boolean;
  readonly takesTrailers: boolean;
}

interface PlannedResponse {
  /** When the upstream answers: at the head of the request, or when it is complete. */
  readonly answersAt: 'head' | 'end';
  readonly interim: readonly number[];
  readonly status: number;
  readonly fields: PlannedFields;
  readonly hopFields: PlannedFields;
  readonly framing: 'none' | 'length' | 'chunked' | 'close';
  readonly parts: readonly string[];
  readonly trailers: PlannedFields;
}

/** Where somebody breaks off, as a fraction of what they would have sent; how, is theirs. */
interface Break {
  readonly at: number;
  readonly how: 'end' | 'reset';
}

/** One exchange, whole: what the client sends, what the upstream answers, and who breaks off where. */
export interface ExchangePlan {
  readonly index: number;
  readonly http: 1 | 2;
  readonly request: PlannedRequest;
  readonly response: PlannedResponse;
  /** The upstream breaks off its response. */
  readonly upstreamBreak: Break | undefined;
  /** The client leaves while it sends, or while it receives. */
  readonly clientBreak: (Break & { readonly during: 'request' | 'response' }) | undefined;
  /** In how many pieces bytes are written; each on its own, with a turn of the loop between some. */
  readonly pieces: number;
}

const METHODS = ['GET', 'GET', 'HEAD', 'POST', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', 'REPORT'] as const;
const STATUSES = [200, 200, 200, 201, 204, 205, 206, 301, 304, 400, 404, 413, 500] as const;
const BODYLESS_STATUSES = new Set([204, 205, 304]);
const TOKEN = "abcdefghijklmnopqrstuvwxyz0123456789-_.~!#$%&'*+^`|";
/** RFC 3986 3.4. */
const QUERY = "abcdefghijklmnopqrstuvwxyz0123456789-_.~!$&'()*+,;=:@/?";
const POOL = makePool();

/** The plan of a case follows from the seed and its number alone. */
export function planOf(seed: number, index: number): ExchangePlan {
  const random = new Random(Math.imul(seed ^ 0x9e3779b9, 2_654_435_761) ^ Math.imul(index + 1, 40_503));
  for (let round = 0; round < 4; round += 1) random.next();
  const http = random.chance(0.4) ? 2 : 1;
  const request = planRequest(random, index, http);
  const response = planResponse(random, request);
  const breaks = random.next();
  const at = random.chance(0.15) ? 0 : random.next();
  const how = random.chance(0.5) ? 'end' : 'reset';
  return {
    ...{ index, http, request, response },
    upstreamBreak: breaks < 0.15 ? { at, how } : undefined,
    clientBreak: breaks > 0.85 ? { at, how, during: random.chance(0.5) ? 'request' : 'response' } : undefined,
    pieces: random.chance(0.4) ? 1 : random.integer(2, 8),
  };
}

function planRequest(random: Random, index: number, http: 1 | 2): PlannedRequest {
  const method = random.pick(METHODS);
  const usual = ['POST', 'PUT', 'PATCH', 'REPORT'].includes(method) ? 0.8 : 0.12;
  const framing = random.chance(usual) ? random.pick(['length', 'chunked'] as const) : 'none';
  const parts = framing === 'none' ? [] : planParts(random, framing);
  return {
    ...{ method, framing, parts },
    path: `/case-${index}${random.chance(0.3) ? `?q=${text(random, QUERY, 12)}` : ''}`,
    fields: planFields(random, http),
    hopFields: http === 1 ? planHopFields(random) : [],
    trailers: framing === 'chunked' && random.chance(0.3) ? planTrailers(random) : [],
    expectsContinue: framing !== 'none' && random.chance(0.1),
    takesTrailers: random.chance(0.5),
  };
}

function planResponse(random: Random, request: PlannedRequest): PlannedResponse {
  const status = random.pick(STATUSES);
  const bodyless = BODYLESS_STATUSES.has(status);
  const framing = bodyless ? 'none' : random.pick(['length', 'length', 'chunked', 'chunked', 'close'] as const);
  const parts = framing === 'none' ? [] : planParts(random, framing);
  return {
    ...{ status, framing, parts },
    answersAt: request.framing !== 'none' && random.chance(0.2) ? 'head' : 'end',
    interim: random.chance(0.2) ? random.list(1, 3, () => random.pick([102, 103, 103])) : [],
    fields: planFields(random, 1),
    hopFields: planHopFields(random),
    trailers: framing === 'chunked' && random.chance(0.4) ? planTrailers(random) : [],
  };
}

/** Mostly small, sometimes more than any buffer takes at once; chunks are never empty. */
function planParts(random: Random, framing: string): string[] {
  const size = random.chance(0.08) ? 120_000 : random.chance(0.3) ? 9_000 : 200;
  const least = framing === 'chunked' ? 1 : 0;
  return random.list(0, 5, () => {
    const length = random.integer(least, size);
    const from = random.integer(0, 1_000);
    return POOL.slice(from, from + length);
  });
}

function planFields(random: Random, http: 1 | 2): PlannedFields {
  return random.list(0, 6, () => [`x-${token(random, 10)}`, fieldValue(random, http)] as const);
}

function planTrailers(random: Random): PlannedFields {
  return random.list(1, 3, (index) => [`x-t${index}-${token(random, 6)}`, fieldValue(random, 2)] as const);
}

/** Named by Connection, or of the fixed set. */
function planHopFields(random: Random): PlannedFields {
  if (!random.chance(0.3)) return [];
  const name = `hop-${token(random, 6)}`;
  return [
    ['Connection', random.chance(0.5) ? `keep-alive, ${name}` : name],
    [name, 'must not travel'],
    ['Keep-Alive', 'timeout=30'],
  ];
}

function fieldValue(random: Random, http: 1 | 2): string {
  const characters = http === 1 ? `${TOKEN}" ,;=/()[]{}\t\xe4\xff` : `${TOKEN}" ,;=/()[]{}`;
  const inner = text(random, characters, random.chance(0.05) ? 900 : 24);
  return inner.trim();
}

function token(random: Random, most: number): string {
  return text(random, TOKEN, most) || 'a';
}

function text(random: Random, characters: string, most: number): string {
  return random.list(0, most, () => characters[random.integer(0, characters.length - 1)] ?? 'a').join('');
}

function makePool(): string {
  const random = new Random(7);
  const block = Array.from({ length: 4_096 }, () => String.fromCharCode(random.integer(0, 255))).join('');
  return block.repeat(30);
}
