import { describe, expect, it } from 'vitest';
import {
  EngineTimeout,
  notServing,
  refused,
  unreachable,
  wordsOf,
} from '../../../../../src/runtimes/docker/engine/errors.ts';

/** What dockerode throws when the engine answers with an error. */
function answer(statusCode: number, message: string): Error {
  return Object.assign(new Error(`(HTTP code ${statusCode}) server error - ${message} `), {
    statusCode,
    json: { message },
  });
}

function fault(code: string): Error {
  return Object.assign(new Error(`connect ${code} /x.sock`), { code });
}

const START = { service: 'web', action: 'start the container', fallback: 'start_failed' } as const;

describe('an engine that refuses', () => {
  it.each([
    [
      'driver failed programming external connectivity on endpoint demo-web-1 (1f): Bind for 127.0.0.1:8888 failed: port is already allocated',
      '127.0.0.1:8888',
    ],
    [
      'driver failed programming external connectivity on endpoint x (2a): Error starting userland proxy: listen tcp4 0.0.0.0:80: bind: address already in use',
      '0.0.0.0:80',
    ],
    [
      'driver failed programming external connectivity on endpoint x (2a): Error starting userland proxy: listen tcp [::1]:443: bind: address already in use',
      '[::1]:443',
    ],
  ])('because a port is taken is told with the port', (words, port) => {
    const error = refused(answer(500, words), START);
    expect(error.code).toBe('port_taken');
    expect(error.message).toContain(`port ${port} `);
    expect(error.message).toContain('web');
  });

  it('because the disk is full says so', () => {
    expect(refused(answer(500, 'write /var/lib/docker/tmp/x: no space left on device'), START).code).toBe('disk_full');
  });

  it('because the executable is missing says so in its own words', () => {
    const words =
      'failed to create shim task: OCI runtime create failed: exec: "nope": executable file not found in $PATH: unknown';
    expect(refused(answer(400, words), START)).toMatchObject({
      code: 'start_failed',
      message: expect.stringContaining('"nope"') as string,
    });
  });

  it('is quoted without what the client library writes around', () => {
    expect(wordsOf(answer(404, 'no such image'))).toBe('no such image');
    expect(wordsOf(new Error('(HTTP code 500) server error - it broke '))).toBe('it broke');
  });
});

describe('an engine that does not answer', () => {
  const address = 'unix:///x.sock';

  it.each([
    ['ENOENT', 'start it with'],
    ['ECONNREFUSED', 'start it with'],
    ['EACCES', 'group docker'],
    ['ECONNRESET', 'cannot be reached'],
  ])('with %s is told with what to do', (code, words) => {
    expect(unreachable(fault(code), address)).toMatchObject({ code, reason: expect.stringContaining(words) as string });
  });

  it('in time is unreachable', () => {
    expect(unreachable(new EngineTimeout('late'), address)?.code).toBe('ETIMEDOUT');
  });

  it('is another thing than one that answers with an error', () => {
    expect(unreachable(answer(500, 'x'), address)).toBeUndefined();
    expect(notServing(answer(500, 'it broke'), address)).toMatchObject({
      code: 'HTTP_500',
      reason: expect.stringContaining('it broke') as string,
    });
  });
});
