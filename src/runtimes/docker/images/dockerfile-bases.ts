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

interface From {
  readonly image: string;
  /** The name that the stage gets. */
  readonly stage: string | undefined;
}

function parseFrom(rest: string): From {
  const [image = '', as, stage] = rest.split(/\s+/).filter((part) => !part.startsWith('--'));
  return { image: unquoted(image), stage: as?.toUpperCase() === 'AS' ? stage?.toLowerCase() : undefined };
}

function parseArg(
  rest: string,
  buildArgs: Readonly<Record<string, string>>,
  values: ReadonlyMap<string, string>,
): [string, string] {
  const [, name = '', value = ''] = /^(\w+)(?:=(.*))?$/.exec(rest.trim()) ?? [];
  return [name, buildArgs[name] ?? expand(unquoted(value), values)];
}

/** The images that a Dockerfile starts from, in its order, without its own stages and without `scratch`. */
export function basesOf(dockerfile: string, buildArgs: Readonly<Record<string, string>> = {}): string[] {
  const values = new Map<string, string>();
  const stages = new Set<string>(['scratch', '']);
  const bases = new Set<string>();
  let began = false;
  for (const line of instructions(dockerfile)) {
    const [, word = '', rest = ''] = /^(\S+)\s+(.*)$/.exec(line) ?? [];
    if (word.toUpperCase() === 'ARG' && !began) values.set(...parseArg(rest, buildArgs, values));
    if (word.toUpperCase() !== 'FROM') continue;
    began = true;
    const { image, stage } = parseFrom(rest);
    const name = expand(image, values);
    if (!stages.has(name.toLowerCase())) bases.add(name);
    if (stage !== undefined) stages.add(stage);
  }
  return [...bases];
}
