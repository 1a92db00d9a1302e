import { z } from 'zod';
import { chosenBy, parsedBy, Unacceptable } from '../parsed-type.ts';

/** Text that is not empty and holds no NUL, which would end it early somewhere below. */
export const text = parsedBy((value) => {
  if (typeof value !== 'string' || value === '' || value.includes('\0')) {
    throw new Unacceptable('must be text that is not empty');
  }
  return value;
});

/** A whole number. */
export function whole(lowest: number, highest = 1_000_000): z.ZodType<number> {
  return parsedBy((value) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < lowest || value > highest) {
      throw new Unacceptable(`must be a whole number from ${lowest} to ${highest}`);
    }
    return value;
  });
}

/** A percentage above zero. */
export const percent = parsedBy((value) => {
  if (typeof value !== 'number' || !(value > 0 && value <= 100)) {
    throw new Unacceptable('must be a number above 0 and at most 100 (percent of the limit)');
  }
  return value;
});

export const flag = z.boolean('must be true or false');

export function oneOf<const T extends string>(...words: readonly T[]): z.ZodType<T> {
  return parsedBy((value) => {
    const word = words.find((one) => one === value);
    if (word === undefined) throw new Unacceptable(`must be one of ${words.map((one) => `'${one}'`).join(', ')}`);
    return word;
  });
}

export function listOf<T>(type: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(type, 'must be a list');
}

export function someOf<T>(type: z.ZodType<T>): z.ZodType<T[]> {
  return z.array(type, 'must be a list').min(1, 'must not be empty');
}

/** One, or a list of the same; always a list in the end. */
export function oneOrMore<T>(type: z.ZodType<T>): z.ZodType<T[]> {
  const single = type.transform((value) => [value]);
  return chosenBy((value) => (Array.isArray(value) ? someOf(type) : single));
}

/** A command: a line for the shell, or the program with its arguments. */
export const command = chosenBy<string[]>((value) =>
  typeof value === 'string' ? text.transform((line) => ['/bin/sh', '-c', line]) : someOf(text),
);
