import { describe, expect, it } from 'vitest';
import { FieldNames } from '../../../../src/proxy/exchange/field-names.ts';

describe('FieldNames', () => {
  const names = new FieldNames('content-length te x-request-id http2-settings connection cookie');

  it.each([
    ['content-length', 'content-length'],
    ['Content-Length', 'content-length'],
    ['CONTENT-LENGTH', 'content-length'],
    ['cOnTeNt-LeNgTh', 'content-length'],
    ['TE', 'te'],
    ['Http2-Settings', 'http2-settings'],
    ['HTTP2-Settings', 'http2-settings'],
    ['X-Request-ID', 'x-request-id'],
  ])('find %s whatever its case', (written, name) => {
    expect(names.find(written)).toBe(name);
    expect(names.has(written)).toBe(true);
  });

  it.each([
    '',
    'content-type',
    'content_length',
    'Content-Lengths',
    'ontent-length',
    'cookies',
    'xookie',
    '\u0043ookié',
    ':te',
  ])('do not find %j', (written) => {
    expect(names.find(written)).toBeUndefined();
    expect(names.has(written)).toBe(false);
  });

  it('find a part of a longer text', () => {
    const line = 'Content-Length: 5';
    expect(names.find(line.slice(0, 'Content-Length'.length))).toBe('content-length');
  });
});
