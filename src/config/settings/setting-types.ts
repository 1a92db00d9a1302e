import { availableParallelism } from 'node:os';
import { z } from 'zod';
import { isDnsLabel, parseHostName } from '../host-name.ts';
import { parsedBy, Unacceptable } from '../parsed-type.ts';
import { topicRootProblem } from './topic-root.ts';

/** The types of the settings. A value is always a string, and never empty unless the setting gives that a meaning. */

function textBy<T>(parse: (text: string) => T): z.ZodType<T> {
  return parsedBy((value) => {
    if (typeof value !== 'string') throw new Unacceptable('must be text');
    return parse(value);
  });
}

function matching(pattern: RegExp, complaint: string): z.ZodType<string> {
  return textBy((text) => {
    if (!pattern.test(text)) throw new Unacceptable(complaint);
    return text;
  });
}

/** Empty means undefined. */
export function optional<T>(type: z.ZodType<T>): z.ZodType<T | undefined> {
  return z.preprocess((value) => (value === '' ? undefined : value), type.optional());
}

export function choice<const T extends string>(...words: readonly T[]): z.ZodType<T> {
  return textBy((text) => {
    const word = words.find((one) => one === text.toLowerCase());
    if (word === undefined) throw new Unacceptable(`must be one of ${words.join(', ')}`);
    return word;
  });
}

export const onOff = choice('on', 'off').transform((word) => word === 'on');

export const hostName = parsedBy(parseHostName);

export const dnsLabel = textBy((text) => {
  if (!isDnsLabel(text.toLowerCase())) throw new Unacceptable('must be one DNS label: letters, digits and hyphens');
  return text.toLowerCase();
});

const ip = z.union([z.ipv4(), z.ipv6()]);
const cidr = z.union([z.cidrv4(), z.cidrv6()]);

export const ipAddress = textBy((text) => {
  if (!ip.safeParse(text).success) throw new Unacceptable('must be an IP address, such as 127.0.0.1, 0.0.0.0 or ::');
  return text;
});

/** A list of networks; a single address is a network of one. */
export const cidrList = textBy((text): readonly string[] =>
  text
    .split(/[\s,]+/)
    .filter((entry) => entry !== '')
    .map((entry) => {
      if (cidr.safeParse(entry).success) return entry;
      if (!ip.safeParse(entry).success) {
        throw new Unacceptable(`must be a list of networks such as 10.0.0.0/8, 2001:db8::/32; "${entry}" is none`);
      }
      return `${entry}/${entry.includes(':') ? '128' : '32'}`;
    }),
);

/** A path as it was written; relative ones start at the working directory. */
// eslint-disable-next-line no-control-regex -- A NUL is what must be refused.
export const path = matching(/^[^\x00]+$/, 'must be a path');

export function count(lowest: number): z.ZodType<number> {
  return textBy((text) => {
    if (!/^\d{1,9}$/.test(text) || Number(text) < lowest) {
      throw new Unacceptable(`must be a whole number from ${lowest} up`);
    }
    return Number(text);
  });
}

/** A number of processes; `auto` = one per core. */
export const workerCount = textBy((text) => {
  if (text === 'auto') return availableParallelism();
  if (!/^[1-9]\d{0,2}$/.test(text)) throw new Unacceptable('must be auto (one per core) or a number from 1 to 999');
  return Number(text);
});

/** A URL of one of the schemes. Never repeated in a message: it may hold a password. */
export function urlOf(...schemes: readonly string[]): z.ZodType<string> {
  return textBy((text) => {
    if (!schemes.some((scheme) => text.startsWith(`${scheme}://`) && text.length > scheme.length + 3)) {
      throw new Unacceptable(`must be a URL that starts with ${schemes.map((scheme) => `${scheme}://`).join(' or ')}`);
    }
    return text;
  });
}

export const topicRoot = textBy((text) => {
  const problem = topicRootProblem(text);
  if (problem !== undefined) throw new Unacceptable(problem);
  return text;
});

export const databaseName = matching(
  /^[^/\\. "$*<>:|?]{1,38}$/,
  'must be a MongoDB database name: 1 to 38 characters, none of /\\. "$*<>:|?',
);

export const dockerName = matching(
  /^[a-z0-9][a-z0-9_.-]{0,99}$/i,
  'must start with a letter or digit and go on with letters, digits, dots, hyphens or underscores',
);

export const bearerToken = matching(
  /^[A-Za-z0-9._~+/-]+=*$/,
  'must be a token of letters, digits and ._~+/- (RFC 6750), without spaces',
);
