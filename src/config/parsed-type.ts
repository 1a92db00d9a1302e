import { z } from 'zod';

/** Says what is wrong with one value, in words that follow the name of its field: "must be …". */
export class Unacceptable extends Error {}

/** A zod type made of a function that returns what the value means or throws `Unacceptable`. */
export function parsedBy<T>(parse: (value: unknown) => T): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    try {
      return parse(value);
    } catch (thrown) {
      if (!(thrown instanceof Unacceptable)) throw thrown;
      context.addIssue(thrown.message);
      return z.NEVER;
    }
  });
}

/**
 * A type that looks at the value first and then asks one other type.
 * Unlike a union it reports the problems of the form that was meant, not those of every form.
 */
export function chosenBy<T>(choose: (value: unknown) => z.ZodType<T>): z.ZodType<T> {
  return z.unknown().transform((value, context) => {
    const result = choose(value).safeParse(value);
    if (result.success) return result.data;
    for (const issue of result.error.issues) context.issues.push({ ...issue, input: value } as never);
    return z.NEVER;
  });
}
