import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, extname, sep } from 'node:path';
import { createJiti, type Jiti, type TransformOptions } from 'jiti';
import { messageOf } from '../../lib/coded-error.ts';
import { ConfigError } from '../config-error.ts';

/** Nothing is cached: an edit must be seen, and a daemon must not fill the disk with compiled manifests. */
const FRESH = { moduleCache: false, fsCache: false, interopDefault: false };

/**
 * Runs a manifest file (TypeScript, JavaScript or JSON) anew and returns its default export.
 *
 * @param onFile is told the file and every TypeScript or JavaScript file of the operator that it imports.
 * @throws ConfigError that says in which file, line and column it went wrong.
 */
export async function importManifest(path: string, onFile: (path: string) => void): Promise<unknown> {
  onFile(path);
  const source = await readFile(path, 'utf8').catch((error: unknown) => {
    throw new ConfigError('The manifest', [{ field: path, message: `cannot be read: ${messageOf(error)}` }], {
      cause: error,
    });
  });
  if (extname(path) === '.json') return parseJson(path, source);
  forgetJson(dirname(path));
  const loader = createLoader(path, onFile);
  const options = { filename: path, async: true, forceTranspile: true };
  // evalModule rather than import: for .mjs that would be Node's own import, which remembers the first version for ever.
  const module = await Promise.resolve()
    .then(() => loader.evalModule(source, options))
    .catch((error: unknown) => {
      throw describeFailure(path, error);
    });
  return defaultExportOf(path, module);
}

function createLoader(path: string, onFile: (path: string) => void): Jiti {
  const compiler = createJiti(path, FRESH);
  const transform = (options: TransformOptions): { code: string } => {
    const { filename } = options;
    if (filename !== undefined && !filename.includes(`${sep}node_modules${sep}`)) onFile(filename);
    return { code: compiler.transform(options) };
  };
  return createJiti(path, { ...FRESH, transform });
}

/** JSON that a manifest imports goes through Node's own cache. */
function forgetJson(folder: string): void {
  const { cache } = createRequire(import.meta.url);
  for (const file of Object.keys(cache)) {
    // eslint-disable-next-line @typescript-eslint/no-dynamic-delete -- This is how an entry of require.cache is dropped.
    if (file.endsWith('.json') && file.startsWith(folder + sep) && !file.includes('node_modules')) delete cache[file];
  }
}

function defaultExportOf(path: string, module: unknown): unknown {
  const isObject = typeof module === 'object' && module !== null;
  if (isObject && 'default' in module) return module.default;
  // A CommonJS file has no exports by name: what it assigned to module.exports is the manifest.
  if (module !== undefined && !(isObject && ('__esModule' in module || Object.keys(module).length === 0)))
    return module;
  throw new ConfigError('The manifest', [
    { field: path, message: 'has no default export; write "export default defineManifest({ services: { … } })"' },
  ]);
}

function parseJson(path: string, source: string): unknown {
  try {
    return JSON.parse(source) as unknown;
  } catch (error) {
    const offset = /position (\d+)/.exec(messageOf(error))?.[1];
    const before = source.slice(0, offset === undefined ? source.length : Number(offset)).split('\n');
    const field = `${path}:${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
    throw new ConfigError('The manifest', [{ field, message: messageOf(error) }], { cause: error });
  }
}

/** Puts the place of a failure, which is in the message of a syntax error and in the stack of any other, in front. */
export function describeFailure(path: string, error: unknown): ConfigError {
  if (error instanceof ConfigError) return error;
  const message = messageOf(error);
  const syntax = /^(?:ParseError: )?(.*?)\s*\n\s*(\S.*:\d+:\d+)\s*$/s.exec(message);
  if (syntax) {
    return new ConfigError('The manifest', [{ field: syntax[2] ?? path, message: syntax[1] ?? message }], {
      cause: error,
    });
  }
  const field = placeIn(path, error) ?? path;
  return new ConfigError('The manifest', [{ field, message }], { cause: error });
}

/** The file, line and column of what was thrown; undefined when nothing of the file was running then. */
export function placeIn(path: string, error: unknown): string | undefined {
  const stack = error instanceof Error ? (error.stack ?? '') : '';
  const at = stack.split('\n').find((line) => line.includes(`${path}:`));
  const place = /:(\d+:\d+)\)?$/.exec(at ?? '')?.[1];
  return place === undefined ? undefined : `${path}:${place}`;
}
