import { readFileSync } from 'node:fs';
import { parse } from 'dotenv';
import type { z } from 'zod';
import { messageOf } from '../../lib/coded-error.ts';
import { resolveManifestPath } from './manifest-path.ts';
import { parsedBy, Unacceptable } from '../parsed-type.ts';

/**
 * The type of one entry of `envFile`: becomes the variables that the file holds.
 *
 * @param onFile is told each path, also one that cannot be read, so that it can be watched.
 */
export function envFileType(baseDir: string, onFile: (path: string) => void): z.ZodType<Record<string, string>> {
  return parsedBy((value) => {
    if (typeof value !== 'string') throw new Unacceptable('must be the path of a file');
    const path = resolveManifestPath(baseDir, value);
    onFile(path);
    try {
      return parse<Record<string, string>>(readFileSync(path, 'utf8'));
    } catch (error) {
      throw new Unacceptable(`cannot be read: ${messageOf(error)}`);
    }
  });
}
