/** How many letters must be put in, taken out or replaced to turn one word into the other (Levenshtein). */
function distance(a: string, b: string): number {
  let previous = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (let row = 1; row <= a.length; row += 1) {
    const current = [row];
    for (let column = 1; column <= b.length; column += 1) {
      const replaced = (previous[column - 1] ?? 0) + (a[row - 1] === b[column - 1] ? 0 : 1);
      current.push(Math.min(replaced, (previous[column] ?? 0) + 1, (current[column - 1] ?? 0) + 1));
    }
    previous = current;
  }
  return previous[b.length] ?? 0;
}

/** `env_file`, `ENVFILE` and `envFile` are one name, written by habit. */
function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, '');
}

/** The known name that was most likely meant, or undefined when none is near. */
export function closestName(name: string, known: Iterable<string>): string | undefined {
  // Nothing we know is longer; a megabyte of a name must not cost a quadratic comparison.
  if (name.length > 64) return undefined;
  let best: string | undefined;
  let bestDistance = name.length > 3 ? 3 : 2;
  for (const candidate of known) {
    const steps = distance(plain(name), plain(candidate));
    if (steps < bestDistance && steps <= candidate.length / 2) [best, bestDistance] = [candidate, steps];
  }
  return best;
}
