import { describe, expect, it } from 'vitest';
import { CodedError, messageOf } from '../../../src/lib/coded-error.ts';

class Special extends CodedError {}

describe('CodedError', () => {
  it('carries a code for machines, a message for people, and its cause', () => {
    const cause = new Error('below');
    const error = new CodedError('port_taken', 'port 80 is taken', { cause });
    expect(error).toMatchObject({ name: 'CodedError', code: 'port_taken', message: 'port 80 is taken', cause });
    expect(error).toBeInstanceOf(Error);
  });

  it('is named after its class', () => {
    expect(new Special('x', 'y').name).toBe('Special');
    expect(String(new Special('x', 'y'))).toBe('Special: y');
  });
});

describe('messageOf', () => {
  it.each([
    [new Error('broken'), 'broken'],
    ['just text', 'just text'],
    [undefined, 'undefined'],
    [404, '404'],
  ])('finds words for %j', (thrown, message) => {
    expect(messageOf(thrown)).toBe(message);
  });
});
