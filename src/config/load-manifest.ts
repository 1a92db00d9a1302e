import { dirname, resolve } from 'node:path';
import { ConfigError } from './config-error.ts';
import type { ManifestContext } from './manifest/manifest-schema.ts';
import { describeFailure, importManifest } from './manifest/manifest-module.ts';
import { parseManifest } from './manifest/parse-manifest.ts';
import type { Manifest } from './service-spec.ts';

/** Where a manifest stands is known from its path. */
export type LoadContext = Omit<ManifestContext, 'baseDir'> & {
  /** How long the manifest's own code may take, in milliseconds. [10 s] */
  readonly timeoutMs?: number;
};

export interface LoadedManifest {
  readonly manifest: Manifest;
  /** Absolute: the manifest, what it imports, and its env files. An edit of any of them changes what it means. */
  readonly files: readonly string[];
}

/**
 * Runs the manifest file anew and checks what it exports. `context.onFile` hears of each file as it is met, so that a
 * broken manifest's files can be watched as well.
 *
 * @throws ConfigError with every problem.
 */
export async function loadManifest(path: string, context: LoadContext): Promise<LoadedManifest> {
  const absolute = resolve(path);
  const files = new Set<string>();
  const onFile = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    context.onFile?.(file);
  };
  const env = Object.freeze({ ...context.env });
  try {
    const input = await inTime(absolute, context.timeoutMs ?? 10_000, evaluate(absolute, env, onFile));
    const manifest = parseManifest(input, { ...context, env, baseDir: dirname(absolute), onFile });
    return { manifest, files: [...files] };
  } catch (error) {
    // Code of the manifest runs until its last getter has been read, and may throw anything.
    throw describeFailure(absolute, error);
  }
}

async function evaluate(path: string, env: LoadContext['env'], onFile: (file: string) => void): Promise<unknown> {
  const exported = await importManifest(path, onFile);
  if (typeof exported !== 'function') return exported;
  return (exported as (context: { env: LoadContext['env'] }) => unknown)({ env });
}

/** A manifest that waits for something (a secret, a registry) must not hold the daemon for ever. */
async function inTime(path: string, timeoutMs: number, work: Promise<unknown>): Promise<unknown> {
  let timeout: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timeout = setTimeout(() => {
      const message = `did not finish within ${timeoutMs} ms; what does it wait for?`;
      reject(new ConfigError('The manifest', [{ field: path, message }]));
    }, timeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timeout);
  }
}
