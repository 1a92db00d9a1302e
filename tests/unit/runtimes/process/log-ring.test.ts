import { describe, expect, it } from 'vitest';
import { LineSplitter, MAX_LINE_LENGTH } from '../../../../src/runtimes/process/line-splitter.ts';
import { LogRing } from '../../../../src/runtimes/process/log-ring.ts';

const line = (text: string) => ({ stream: 'stdout', text, atEpochMs: 0 }) as const;

async function read(ring: LogRing, tail: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { text } of ring.read({ tail, follow: false })) texts.push(text);
  return texts;
}

describe('a log ring', () => {
  it('keeps the last lines within both bounds', async () => {
    const ring = new LogRing({ maxLines: 3, maxLength: 10 });
    for (const text of ['a', 'b', 'c', 'd']) ring.push(line(text));
    expect(await read(ring, 10)).toEqual(['b', 'c', 'd']);
    ring.push(line('123456789'));
    expect(await read(ring, 10)).toEqual(['d', '123456789']);
    expect(ring.tail(1)).toEqual(['123456789']);
  });

  it('lets a slow reader miss lines rather than keep them', async () => {
    const ring = new LogRing({ maxLines: 2, maxLength: 100 });
    ring.push(line('1'));
    const reader = ring.read({ tail: 10, follow: true });
    expect((await reader.next()).value).toMatchObject({ text: '1' });
    for (const text of ['2', '3', '4', '5']) ring.push(line(text));
    expect((await reader.next()).value).toMatchObject({ text: '4' });
  });

  it('gives followers what came before its end', async () => {
    const ring = new LogRing();
    const reader = ring.read({ tail: 0, follow: true });
    const next = reader.next();
    ring.push(line('last'));
    ring.close();
    expect((await next).value).toMatchObject({ text: 'last' });
    expect((await reader.next()).done).toBe(true);
  });
});

describe('a line splitter', () => {
  function split(...chunks: (string | Buffer)[]): string[] {
    const lines: string[] = [];
    const splitter = new LineSplitter((text) => lines.push(text));
    for (const chunk of chunks) splitter.write(Buffer.from(chunk));
    splitter.end();
    return lines;
  }

  it('joins what comes in pieces, also within a character', () => {
    const euro = Buffer.from('€');
    expect(split('a', 'b\nc', euro.subarray(0, 1), euro.subarray(1), '\n')).toEqual(['ab', 'c€']);
  });

  it('keeps empty lines, and takes both line ends', () => {
    expect(split('a\r\n\nb')).toEqual(['a', '', 'b']);
  });

  it('cuts a line that is too long, and holds no more than that', () => {
    const lines = split('x'.repeat(MAX_LINE_LENGTH * 2 + 5), '\n', 'next\n');
    expect(lines.map((text) => text.length)).toEqual([MAX_LINE_LENGTH, MAX_LINE_LENGTH, 5, 4]);
  });
});
