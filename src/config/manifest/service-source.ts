import type { z } from 'zod';
import { oneOrMore, oneOf, text } from './field-values.ts';
import { insideFolder, resolveManifestPath } from './manifest-path.ts';
import { parsedBy, Unacceptable } from '../parsed-type.ts';
import type { BuildSource } from '../service-spec.ts';
import { strictFields } from './strict-fields.ts';
import { environmentMap } from './string-map.ts';

function parseImage(value: unknown): string {
  if (typeof value !== 'string' || !/^[a-z0-9][\w.:/@-]{0,254}$/i.test(value)) {
    throw new Unacceptable("must be the name of an image, such as 'mongo:8'");
  }
  return value;
}

function parseUpstreamUrl(value: unknown): string {
  const url = typeof value === 'string' && URL.canParse(value) ? new URL(value) : undefined;
  if (!url || !/^https?:$/.test(url.protocol) || url.hostname === '') {
    throw new Unacceptable("must be an http:// or https:// URL such as 'http://10.0.0.5:8080'");
  }
  if (url.port === '0') throw new Unacceptable('must name a port from 1 to 65535');
  if (url.pathname !== '/' || url.search || url.hash || url.username || url.password) {
    throw new Unacceptable('must be a host and a port, without path, query or credentials');
  }
  return url.origin;
}

function buildType(baseDir: string): z.ZodType<BuildSource> {
  return strictFields({
    context: parsedBy((value) => {
      if (typeof value !== 'string') throw new Unacceptable('must be the path of a folder');
      return resolveManifestPath(baseDir, value);
    }),
    dockerfile: parsedBy(insideFolder).default('Dockerfile'),
    target: text.optional(),
    args: environmentMap.default({}),
  }).transform(({ target, ...rest }) => ({ kind: 'build' as const, ...rest, ...(target !== undefined && { target }) }));
}

/** The fields that say where a service comes from. */
export function sourceFields(baseDir: string) {
  return {
    image: parsedBy(parseImage).optional(),
    pull: oneOf('missing', 'always', 'never').optional(),
    build: buildType(baseDir).optional(),
    url: oneOrMore(parsedBy(parseUpstreamUrl)).optional(),
  };
}
