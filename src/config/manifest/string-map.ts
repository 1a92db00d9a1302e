import { z } from 'zod';

/**
 * Text by name, as environment variables and labels are. Numbers and booleans become text; undefined is an error,
 * since it is what a misspelled variable of the environment gives.
 *
 * @param complaintAbout says what is wrong with a name, if anything is.
 */
function stringMap(complaintAbout: (name: string) => string | undefined): z.ZodType<Record<string, string>> {
  return z.unknown().transform((value, context) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      context.addIssue('must be an object of names and values');
      return z.NEVER;
    }
    const entries = Object.entries(value).map(([name, given]): [string, string] => {
      const complaint = complaintAbout(name) ?? complaintAboutValue(given);
      if (complaint !== undefined) context.addIssue({ code: 'custom', path: [name], message: complaint });
      return [name, String(given)];
    });
    return Object.fromEntries(entries);
  });
}

function complaintAboutValue(value: unknown): string | undefined {
  if (value === undefined) return 'is undefined; is a variable of .env misspelled?';
  if (typeof value === 'string') return value.includes('\0') ? 'must not hold a NUL' : undefined;
  if (Number.isNaN(value)) return 'is NaN; is a variable of .env misspelled, or no number?';
  if (typeof value === 'number' || typeof value === 'boolean') return undefined;
  return 'must be text, a number or a boolean';
}

export const environmentMap = stringMap((name) =>
  /^[^=\s\0]+$/.test(name) && name !== '__proto__' ? undefined : 'is not the name of an environment variable',
);

export const labelMap = stringMap((name) => {
  if (name.startsWith('dev.reveille.')) return 'is refused: labels under dev.reveille are how Reveille knows its own';
  return /^[^=\s\0]+$/.test(name) && name !== '__proto__' ? undefined : 'is not the name of a label';
});
