import { describe, expect, it } from 'vitest';
import { JsonLineSplitter } from '../../../../../src/runtimes/docker/engine/json-lines.ts';
import { LogDecoder } from '../../../../../src/runtimes/docker/containers/log-decoder.ts';

function frame(stream: 1 | 2, text: string): Buffer {
  const payload = Buffer.from(text);
  const header = Buffer.alloc(8);
  header.writeUInt8(stream, 0);
  header.writeUInt32BE(payload.length, 4);
  return Buffer.concat([header, payload]);
}

describe('JSON lines in raw chunks', () => {
  const text = '{"a":1}\r\n\n{"b":"zwölf €"}\n{"c":3}';

  it.each([1, 2, 3, 7, 100])('come out whole in chunks of %i bytes', (size) => {
    const splitter = new JsonLineSplitter();
    const bytes = Buffer.from(text);
    const values: unknown[] = [];
    for (let from = 0; from < bytes.length; from += size)
      values.push(...splitter.push(bytes.subarray(from, from + size)));
    values.push(...splitter.end());
    expect(values).toEqual([{ a: 1 }, { b: 'zwölf €' }, { c: 3 }]);
  });

  it('are refused when a line has no end', () => {
    const splitter = new JsonLineSplitter();
    expect(() => {
      for (let count = 0; count < 10; count += 1) splitter.push(Buffer.alloc(1024 * 1024, 'x'));
    }).toThrow('no end');
  });
});

describe('a multiplexed log', () => {
  const time = '2026-11-21T10:00:00.000000001Z';

  it.each([1, 5, 1000])('comes out in lines, by stream, in chunks of %i bytes', (size) => {
    const bytes = Buffer.concat([
      frame(1, `${time} one\n`),
      frame(2, `${time} bad ä\r\n`),
      frame(1, `${time} \n`),
      frame(1, `${time} rest`),
    ]);
    const decoder = new LogDecoder();
    const lines = [];
    for (let from = 0; from < bytes.length; from += size)
      lines.push(...decoder.push(bytes.subarray(from, from + size)));
    lines.push(...decoder.end());
    expect(lines.map(({ stream, text }) => [stream, text])).toEqual([
      ['stdout', 'one'],
      ['stderr', 'bad ä'],
      ['stdout', ''],
      ['stdout', 'rest'],
    ]);
    expect(new Set(lines.map(({ atEpochMs }) => atEpochMs))).toEqual(new Set([Date.parse('2026-11-21T10:00:00Z')]));
  });

  it('puts a line together that the engine cut into messages', () => {
    const decoder = new LogDecoder();
    const lines = decoder.push(Buffer.concat([frame(1, `${time} ${'a'.repeat(100)}`), frame(1, `${time} bbb\n`)]));
    expect(lines.map(({ text }) => text)).toEqual([`${'a'.repeat(100)}bbb`]);
  });

  it('bounds a line that does not end', () => {
    const decoder = new LogDecoder();
    for (let count = 0; count < 50; count += 1) decoder.push(frame(1, `${time} ${'x'.repeat(16_000)}`));
    const [line] = decoder.push(frame(1, `${time} end\n`));
    expect(line?.text.length).toBeLessThan(17_000);
  });

  it('refuses a frame of impossible length', () => {
    expect(() => new LogDecoder().push(Buffer.from([1, 0, 0, 0, 255, 255, 255, 255]))).toThrow('impossible length');
  });
});
