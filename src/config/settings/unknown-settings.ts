import { parse } from 'dotenv';
import { closestName } from '../closest-name.ts';
import { ALL_SETTINGS } from './setting-definitions.ts';

export interface UnknownSetting {
  readonly key: string;
  readonly didYouMean: string;
}

/**
 * Keys of .env that look like a setting misspelled. Only a warning, since .env may hold what the manifest reads;
 * the environment of the process is full of what is not ours, so only the file is looked at.
 */
export function unknownSettings(dotenvText: string): UnknownSetting[] {
  const known = new Set(ALL_SETTINGS.map((definition) => definition.key));
  return Object.keys(parse(dotenvText)).flatMap((key) => {
    const didYouMean = known.has(key) ? undefined : closestName(key, known);
    return didYouMean === undefined ? [] : [{ key, didYouMean }];
  });
}
