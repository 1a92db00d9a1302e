import { describe, expect, it } from 'vitest';
import { FieldList } from '../../../../src/proxy/exchange/field-list.ts';

describe('FieldList', () => {
  const lines = 'Set-Cookie: a=1\r\nset-cookie: b: 2\r\nX-Empty: \r\n';
  const pairs = ['Set-Cookie', 'a=1', 'set-cookie', 'b: 2', 'X-Empty', ''];

  it('is lines or names and values in turn, whichever it was made of', () => {
    expect(FieldList.ofLines(lines).pairs).toEqual(pairs);
    expect(FieldList.ofPairs(pairs).lines).toBe(lines);
    expect(FieldList.ofLines('').pairs).toEqual([]);
    expect(FieldList.ofPairs([]).lines).toBe('');
  });

  it('goes without those of some names, whatever their case', () => {
    expect(FieldList.ofLines(lines).without(new Set(['set-cookie'])).pairs).toEqual(['X-Empty', '']);
  });

  it.each([
    ['Date: x\r\n', true],
    ['A: b\r\nDate: x\r\n', true],
    ['A: b\r\ndate: x\r\n', true],
    ['dATE: x\r\nA: b\r\n', true],
    ['A: Date: x\r\nX-Date: y\r\n', false],
    ['Dates: x\r\n', false],
    ['', false],
  ])('knows whether %j has a Date', (text, hasDate) => {
    expect(FieldList.ofLines(text).hasDate).toBe(hasDate);
    expect(FieldList.ofPairs(FieldList.ofLines(text).pairs).hasDate).toBe(hasDate);
  });
});
