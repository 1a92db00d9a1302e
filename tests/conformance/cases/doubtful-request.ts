import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import type { CaseBench } from '../rig/case-bench.ts';
import { describe, readerOf } from '../rig/case-bench.ts';
import { okResponse, type UpstreamRequest } from '../rig/case-upstream.ts';
import { verdict, type ConformanceCase, type Verdict } from '../rig/conformance-case.ts';
import { statusOf } from '../rig/http1-reader.ts';

export const SECRET = 'GET /secret HTTP/1.1\r\nHost: app.test\r\n\r\n';

export interface DoubtfulRequest {
  readonly id: string;
  readonly title: string;
  readonly reference: string;
  readonly bytes: string;
  /** It may also be passed on, as one request in a framing without doubt. */
  readonly mayForward?: boolean;
}

/** A request whose end or meaning two parsers could see differently: refused, or passed on as exactly one sound request. */
export function doubtful({ id, title, reference, bytes, mayForward = false }: DoubtfulRequest): ConformanceCase {
  return { id, title, reference, run: (bench) => judge(bench, bytes, mayForward) };
}

const SETTLE_MS = 60;

async function judge(bench: CaseBench, bytes: string, mayForward: boolean): Promise<Verdict> {
  const upstream = bench.script(answerPath);
  const client = await bench.client();
  const reader = readerOf(client);
  client.send(bytes);
  const answered = (): boolean => client.gone || reader.final.some(({ complete }) => complete);
  await client.changes.until(answered, PATIENCE_MS);
  // What was smuggled comes right behind.
  await upstream.until(() => upstream.requests.length > 1, SETTLE_MS);
  const { requests, faults } = upstream;
  const seen = describe(reader, client);
  if (requests.some(({ path }) => path === '/secret')) return verdict(false, 'smuggled: the hidden request was served');
  if (requests.length > 1) return verdict(false, `${requests.length} requests upstream`);
  if (faults.length > 0) return verdict(false, `passed on: ${faults[0] ?? ''}`);
  const first = reader.final[0];
  if (first === undefined)
    return verdict(client.gone, client.gone ? 'closed without an answer' : 'no answer, stays open');
  if (statusOf(first) >= 400) return verdict(true, seen);
  return verdict(mayForward && requests.length === 1, `forwarded: ${seen}`);
}

function answerPath({ peer, message, path }: UpstreamRequest): void {
  void peer.changes
    .until(() => message.complete || peer.gone, PATIENCE_MS)
    .then(() => {
      if (message.complete) peer.send(okResponse(path));
    });
}
