/** Instructions with their continuation lines joined and comments gone. */
function instructions(dockerfile: string): string[] {
  const lines = dockerfile.split(/\r?\n/).filter((line) => !/^\s*#/.test(line));
  return lines
    .join('\n')
    .replace(/[\\`][ \t]*\n/g, ' ')
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '');
}

function unquoted(text: string): string {
  return text.replace(/^(["'])(.*)\1$/, '$2');
}

/** `$NAME`, `${NAME}` and `${NAME:-default}`, with the values of ARG before the first FROM. */
function expand(text: string, values: ReadonlyMap<string, string>): string {
  return text.replace(
    /\$(?:(\w+)|\{(\w+)(?::-([^}]*))?\})/g,
    (_all, bare?: string, braced?: string, fallback?: string) => {
      return values.get(bare ?? braced ?? '') ?? fallback ?? '';
    },
  );
}

/** The images that a Dockerfile starts from, in its order, without its own stages and without `scratch`. */
export function basesOf(dockerfile: string, buildArgs: Readonly<Record<string, string>> = {}): string[] {
  const values = new Map<string, string>();
  const stages = new Set<string>();
  const bases: string[] = [];
  for (const line of instructions(dockerfile)) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (word.toUpperCase() === 'ARG' && bases.length === 0 && stages.size === 0) {
      const [, name = '', , value = ''] = /^(\w+)(=(.*))?$/.exec(rest.trim()) ?? [];
      values.set(name, buildArgs[name] ?? expand(unquoted(value), values));
    }
    if (word.toUpperCase() !== 'FROM') continue;
    const [image = '', as, stage] = rest.split(/\s+/).filter((part) => !part.startsWith('--'));
    const name = expand(unquoted(image), values);
    if (name !== '' && name !== 'scratch' && !stages.has(name.toLowerCase())) bases.push(name);
    if (as?.toUpperCase() === 'AS' && stage) stages.add(stage.toLowerCase());
  }
  return [...new Set(bases)];
}
