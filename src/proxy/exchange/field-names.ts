/** A name in the two forms in which it mostly comes. */
interface Name {
  readonly lower: string;
  /** Each word with a capital: `Content-Length`. */
  readonly usual: string;
}

const A = 'a'.charCodeAt(0);
/** Makes a letter of ASCII lower case. */
const LOWER = 0x20;

/**
 * A set of field names, which have no case (RFC 9110 5.1). Every field of every request and response is looked up:
 * most are told apart by length and first letter, and those that are in the set without a copy in lower case.
 */
export class FieldNames {
  /** By length and first letter. */
  readonly #names: Name[][][] = [];

  /** @param names in lower case, with blanks between them */
  constructor(names: string) {
    for (const lower of names.split(' ')) {
      const usual = lower.replaceAll(/(?<![a-z0-9])[a-z]/g, (letter) => letter.toUpperCase());
      const letters = (this.#names[lower.length] ??= []);
      const at = lower.charCodeAt(0) - A;
      (letters[at] ??= []).push({ lower, usual });
    }
  }

  has(name: string): boolean {
    return this.find(name) !== undefined;
  }

  /** The name in lower case, or undefined when it is not in the set. */
  find(name: string): string | undefined {
    const names = this.#names[name.length]?.[(name.charCodeAt(0) | LOWER) - A];
    if (names === undefined) return undefined;
    for (const { lower, usual } of names) if (name === usual || name === lower) return lower;
    const wanted = name.toLowerCase();
    return names.find(({ lower }) => lower === wanted)?.lower;
  }
}
