import { Writable } from 'node:stream';
import { pino } from 'pino';
import { describe, expect, it } from 'vitest';
import { AccessLog, type AccessEntry, type AccessLogMode } from '../../../src/proxy/access-log.ts';

const answered: AccessEntry = {
  requestId: 'r1',
  method: 'GET',
  host: 'app.test',
  path: '/',
  status: 200,
  durationMs: 3.4,
  service: 'app',
};

function written(mode: AccessLogMode, entry: Partial<AccessEntry>): string | undefined {
  let text = '';
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      text += chunk.toString();
      done();
    },
  });
  new AccessLog(pino(sink), mode).write({ ...answered, ...entry });
  return text === '' ? undefined : (JSON.parse(text) as { msg: string }).msg;
}

describe('the access log', () => {
  it.each<[AccessLogMode, 'tells' | 'does not tell', string, Partial<AccessEntry>]>([
    ['all', 'tells', 'a plain answer', {}],
    ['errors', 'does not tell', 'a plain answer', {}],
    ['errors', 'tells', 'an answer that an instance was woken for', { wakeMs: 500 }],
    ['errors', 'tells', 'a refusal', { status: 404, code: 'unknown_host' }],
    ['errors', 'tells', 'an answer that the upstream broke off', { code: 'upstream_aborted' }],
    ['errors', 'does not tell', 'an answer that the client did not wait for', { code: 'abandoned' }],
    ['errors', 'does not tell', 'a client that left before there was an answer', { status: 0, code: 'client_left' }],
    ['off', 'does not tell', 'an error', { status: 502, code: 'upstream_reset' }],
  ])('set to %s %s of %s', (mode, tells, _what, entry) => {
    expect(written(mode, entry) !== undefined).toBe(tells === 'tells');
  });

  it('tells in one line what was asked, how it ended and how long it took', () => {
    const line = written('all', { status: 502, code: 'upstream_reset' });
    expect(line).toBe('GET app.test/ 502 upstream_reset in 3 ms');
  });
});
