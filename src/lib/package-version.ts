import { readFileSync } from 'node:fs';

/** The version in package.json. This file lies equally deep in src and in dist. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')) as {
    version: string;
  };
  return version;
}
