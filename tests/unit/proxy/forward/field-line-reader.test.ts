import { describe, expect, it } from 'vitest';
import { readFieldLines } from '../../../../src/proxy/forward/field-line-reader.ts';
import { HELD_BACK } from '../../../../src/proxy/forward/hop-by-hop.ts';
import { MalformedResponse } from '../../../../src/proxy/forward/malformed-response.ts';

const HELD = new Set(HELD_BACK.split(' '));

/** What is passed on, and what is taken. */
function read(text: string, maxFields = 1_000): { lines: string; taken: string[] } {
  const taken: string[] = [];
  const take = (name: string, value: string): boolean => {
    if (HELD.has(name.toLowerCase())) taken.push(`${name}=${value}`);
    return HELD.has(name.toLowerCase());
  };
  return { lines: readFieldLines(text, 0, maxFields, { take }), taken };
}

/** The same, line by line; undefined for what is not valid. */
function model(text: string): { lines: string; taken: string[] } | undefined {
  const lines: string[] = [];
  const taken: string[] = [];
  for (const line of text.split('\r\n').slice(0, -1)) {
    const [, name = '', raw = ''] = /^([!#$%&'*+\-.^_`|~0-9A-Za-z]+):([^]*)$/.exec(line) ?? [];
    const value = raw.replace(/^[ \t]+/, '').replace(/[ \t]+$/, '');
    // eslint-disable-next-line no-control-regex -- control characters are what a value may not have
    if (name === '' || /[\0-\x08\x0a-\x1f\x7f]/.test(value)) return undefined;
    if (HELD.has(name.toLowerCase())) taken.push(`${name}=${value}`);
    else lines.push(`${name}: ${value}\r\n`);
  }
  return { lines: lines.join(''), taken };
}

function outcome(text: string): ReturnType<typeof model> {
  try {
    return read(text);
  } catch (error) {
    if (error instanceof MalformedResponse) return undefined;
    throw error;
  }
}

/** Numbers below `below`, the same for the same seed. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

describe('readFieldLines', () => {
  it('passes on what is plain as it is, and the rest with one blank ahead of the value and none behind', () => {
    const text = 'A: 1\r\nB:2\r\nC:  3 \t\r\nD:\r\nE: 4 5\t6\r\nF: 7\r\n';
    expect(read(text).lines).toBe('A: 1\r\nB: 2\r\nC: 3\r\nD: \r\nE: 4 5\t6\r\nF: 7\r\n');
  });

  it('takes out what is held back wherever it stands, whatever its case, and nothing that only looks like it', () => {
    const text = 'connection: a\r\nA: 1\r\nTE:x\r\nTest: 2\r\nUPGRADE: h2c \r\nUpgrades: 3\r\nContent-Length: 5\r\n';
    expect(read(text)).toEqual({
      lines: 'A: 1\r\nTest: 2\r\nUpgrades: 3\r\n',
      taken: ['connection=a', 'TE=x', 'UPGRADE=h2c', 'Content-Length=5'],
    });
  });

  it('reads random lines like a plain model does', () => {
    const random = numbers(20_261_122);
    const pieces = [
      ...[
        'A',
        'x-b',
        'Content-Length',
        'tE',
        'te',
        'Trailer',
        'Proxy-Connection',
        ':',
        ': ',
        ' ',
        '\t',
        ':\t',
        '1',
        'é',
      ],
      ...[
        '\xa0',
        '\xff',
        '\r\n',
        '\r\n',
        '\r\n',
        '\r',
        '\n',
        '\0',
        '\x7f',
        ',',
        '"',
        '(',
        '~',
        'Date: x\r\nAge: 1\r\n',
      ],
    ];
    for (let run = 0; run < 20_000; run += 1) {
      const text = `${Array.from({ length: random(12) }, () => pieces[random(pieces.length)]).join('')}\r\n`;
      expect(outcome(text), JSON.stringify(text)).toEqual(model(text));
    }
  });

  it.each([
    ['a value of blanks that ends badly', `A:${' '.repeat(60_000)}\0\r\n`],
    ['a value of blanks and letters that ends badly', `A: ${'b '.repeat(30_000)}\0\r\n`],
    ['a name without an end', `${'a'.repeat(60_000)}\r\n`],
    ['many lines before one that is not valid', `${'a: b\r\n'.repeat(10_000)}a\r\n`],
    ['many names that are nearly held back', `${'connectio: b\r\n'.repeat(4_000)}:\r\n`],
  ])('refuses %s without taking long', (_what, text) => {
    expect(() => read(text, 20_000)).toThrow(MalformedResponse);
  });

  it('reads a value and lines as long as a head may be', () => {
    const value = 'b '.repeat(32_000);
    expect(read(`A: ${value}\r\n`).lines).toBe(`A: ${value.trimEnd()}\r\n`);
    const many = 'a: b\r\n'.repeat(10_000);
    expect(read(many, 10_000).lines).toBe(many);
    expect(() => read(many, 9_999)).toThrow('more than 9999 fields');
  });
});
