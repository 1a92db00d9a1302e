import { isDeepStrictEqual } from 'node:util';
import { LIMITS, SETTINGS, type SettingDefinition } from './setting-definitions.ts';
import type { SettingsEnvironment } from './settings-environment.ts';
import type { Settings } from '../settings.ts';

/** The keys that apply when .env changes, without a restart. */
export const LIVE_SETTINGS: readonly string[] = Object.values<SettingDefinition>(SETTINGS)
  .filter((definition) => definition.live)
  .map((definition) => definition.key);

export interface SettingsChange {
  /** Keys that apply at once. */
  readonly live: readonly string[];
  /** Keys that wait for a restart. */
  readonly restartNeeded: readonly string[];
}

/** Which keys mean something else now. What only the manifest reads is not among them: it takes effect with the manifest. */
export function diffSettings(before: Settings, after: Settings): SettingsChange {
  const changed = [...changedKeys(SETTINGS, before, after), ...changedKeys(LIMITS, before.limits, after.limits)];
  return {
    live: changed.filter((key) => LIVE_SETTINGS.includes(key)),
    restartNeeded: changed.filter((key) => !LIVE_SETTINGS.includes(key)),
  };
}

function changedKeys<Table extends Record<string, SettingDefinition>>(
  table: Table,
  before: Readonly<Record<keyof Table, unknown>>,
  after: Readonly<Record<keyof Table, unknown>>,
): string[] {
  return Object.entries(table)
    .filter(([field]) => !isDeepStrictEqual(before[field], after[field]))
    .map(([, definition]) => definition.key);
}

/**
 * What the manifest is told by `env` while the daemon runs. A setting that waits for a restart has its old value until then,
 * lest half of the daemon and its services live under another DOMAIN than the other half.
 */
export function untilRestart(running: SettingsEnvironment, edited: SettingsEnvironment): SettingsEnvironment {
  const waiting = [...Object.values<SettingDefinition>(SETTINGS), ...Object.values<SettingDefinition>(LIMITS)]
    .filter(({ live }) => live !== true)
    .map(({ key }) => [key, running[key]]);
  return Object.freeze({ ...edited, ...(Object.fromEntries(waiting) as Record<string, string>) });
}
