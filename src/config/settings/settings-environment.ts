import { parse } from 'dotenv';
import { ALL_SETTINGS, type SettingDefinition, type SettingKey } from './setting-definitions.ts';

/** Every variable by its name: ours all present, whatever else was in .env or the environment as it was. */
export type SettingsEnvironment = Readonly<Record<SettingKey, string>> & Readonly<Record<string, string | undefined>>;

/**
 * What the settings are read from and the manifest gets as `env`: the text of .env, overridden by the environment
 * of the process, with the defaults filled in. Values are not checked here.
 */
export function settingsEnvironment(
  environment: Readonly<Record<string, string | undefined>>,
  dotenvText = '',
): SettingsEnvironment {
  const merged: Record<string, string> = { ...parse(dotenvText) };
  for (const [key, value] of Object.entries(environment)) if (value !== undefined) merged[key] = value;
  const production = merged['ENV']?.trim().toLowerCase() === 'production';
  for (const definition of ALL_SETTINGS) {
    const written = merged[definition.key]?.trim();
    const absent = written === undefined || (written === '' && definition.emptyMeans === undefined);
    merged[definition.key] = absent ? defaultOf(definition, production, merged) : written;
  }
  return Object.freeze(merged) as SettingsEnvironment;
}

function defaultOf(definition: SettingDefinition, production: boolean, merged: Record<string, string>): string {
  // DOMAIN stands before all that take their default from it.
  if (definition.defaultFrom) return merged[definition.defaultFrom] ?? '';
  return (production ? definition.productionDefault : undefined) ?? definition.default;
}
