import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { CaseUpstream, okResponse } from './case-upstream.ts';
import type { Certificate } from './certificate.ts';
import type { Front } from './front.ts';

export interface H2specResult {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: number;
}

const LIMIT_MS = 300_000;

/** What of Reveille's failures is known, by the beginning of the case's name. */
const EXPLAINED: readonly (readonly [string, string])[] = [
  [
    'http2/5.1 closed',
    'nghttp2, which node:http2 is made of, drops frames on a stream that is closed instead of ending the connection; ' +
      'RFC 9113 5.1 lets an endpoint treat them as an error and asks for no more than that they do no harm',
  ],
  [
    'http2/5.1.1 Sends stream identifier that is numerically smaller',
    'nghttp2 takes it for a late frame of a closed stream and drops it; no request comes of it',
  ],
  ['http2/6.7 Sends a PING frame with ACK', 'node:http2 ends the session of a client that answers a PING nobody sent'],
  [
    'http2/6.9.1 Sends multiple WINDOW_UPDATE frames increasing the flow control window to above',
    'the connection is ended as it must be, node:http2 puts another error code into the GOAWAY',
  ],
];

export function explanationOf(failed: string): string | undefined {
  return EXPLAINED.find(([start]) => failed.startsWith(start))?.[1];
}

/** The command of h2spec; undefined when it is not installed. */
export async function findH2spec(): Promise<string | undefined> {
  const candidates = ['h2spec', join(process.env['GOPATH'] ?? join(homedir(), 'go'), 'bin', 'h2spec')];
  for (const command of candidates) if ((await output(command, ['--version'])) !== undefined) return command;
  return undefined;
}

/** All cases of h2spec (generic, hpack, http2) against one front. */
export async function runH2spec(command: string, front: Front, certificate: Certificate): Promise<H2specResult> {
  const folder = await mkdtemp(join(tmpdir(), 'h2spec-'));
  const upstream = await new CaseUpstream(({ peer, message }) => {
    void peer.changes.until(() => message.complete || peer.gone, LIMIT_MS).then(() => peer.send(okResponse('ok')));
  }).start();
  const open = await front.open({ upstreamPort: upstream.port, settings: {}, certificate });
  try {
    const report = join(folder, 'report.xml');
    const target = ['-h', '127.0.0.1', '-p', String(open.port), '-t', '-k', '-P', '/'];
    await output(command, [...target, '-o', '2', '-j', report]);
    return readReport(await readFile(report, 'utf8'));
  } finally {
    await open.close();
    await upstream.close();
    await rm(folder, { recursive: true, force: true });
  }
}

/** JUnit XML: a `testcase` per case, with a `failure` or `skipped` in it. */
function readReport(xml: string): H2specResult {
  const failed: string[] = [];
  let passed = 0;
  let skipped = 0;
  for (const [, attributes = '', content = ''] of xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([^]*?)<\/testcase>)/g)) {
    const of = (name: string): string =>
      new RegExp(`${name}="([^"]*)"`).exec(attributes)?.[1]?.replaceAll('&#34;', '"') ?? '';
    if (content.includes('<skipped')) skipped += 1;
    else if (/<(failure|error)/.test(content)) failed.push(`${of('package')} ${of('classname')}`);
    else passed += 1;
  }
  return { passed, failed, skipped };
}

/** Undefined when the command cannot be run; a failing exit is none of that. */
function output(command: string, args: readonly string[]): Promise<string | undefined> {
  return new Promise((resolve) => {
    execFile(command, args, { timeout: LIMIT_MS, maxBuffer: 50_000_000 }, (error, stdout) => {
      resolve(error !== null && typeof error.code === 'string' ? undefined : stdout);
    });
  });
}
