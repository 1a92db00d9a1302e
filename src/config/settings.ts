import type { z } from 'zod';
import { ConfigError, type ConfigProblem } from './config-error.ts';
import { deepFreeze } from './deep-freeze.ts';
import { EXAMPLE_SETTINGS, LIMITS, SETTINGS, type SettingDefinition } from './settings/setting-definitions.ts';
import { settingsEnvironment, type SettingsEnvironment } from './settings/settings-environment.ts';

type Values<Table extends Record<string, SettingDefinition>> = {
  readonly [Field in keyof Table]: z.output<Table[Field]['type']>;
};

/** Times and sizes that bound what a client or an upstream can cost us. */
type Limits = Values<typeof LIMITS>;

/** The settings as they are meant: checked, converted, frozen. Their meaning stands in setting-definitions.ts. */
export type Settings = Values<typeof SETTINGS> & { readonly limits: Limits };

/**
 * Reads the settings from the environment of the process and the text of .env, which it overrides.
 * @throws ConfigError with every problem, each with its key.
 */
export function loadSettings(environment: Readonly<Record<string, string | undefined>>, dotenvText?: string): Settings {
  const merged = settingsEnvironment(environment, dotenvText);
  const problems: ConfigProblem[] = [];
  const settings = read(SETTINGS, merged, problems);
  const limits = read(LIMITS, merged, problems);
  read(EXAMPLE_SETTINGS, merged, problems);
  if (settings.httpPort !== undefined && settings.httpPort !== 0 && settings.httpPort === settings.httpsPort) {
    problems.push({ field: 'HTTP_PORT', message: `must differ from HTTPS_PORT, which is ${settings.httpsPort} too` });
  }
  if ((settings.mqttCertFile === undefined) !== (settings.mqttKeyFile === undefined)) {
    const [missing, given] = settings.mqttKeyFile === undefined ? ['KEY', 'CERT'] : ['CERT', 'KEY'];
    problems.push({ field: `MQTT_${missing}_FILE`, message: `must be set where MQTT_${given}_FILE is` });
  }
  if (problems.length > 0) throw new ConfigError('The settings (.env and the environment)', problems);
  return deepFreeze({ ...settings, limits });
}

/** Fields whose problem was noted are absent: the caller throws before anybody can miss them. */
function read<Table extends Record<string, SettingDefinition>>(
  table: Table,
  merged: SettingsEnvironment,
  problems: ConfigProblem[],
): Values<Table> {
  const values: Record<string, unknown> = {};
  for (const [field, definition] of Object.entries(table)) {
    const text = merged[definition.key] ?? '';
    const result = definition.type.safeParse(text);
    if (result.success) values[field] = result.data;
    // A value taken over from another key is that key's problem, and noted there.
    if (definition.defaultFrom && text === merged[definition.defaultFrom]) continue;
    const given = definition.secret ? '' : `; it is ${JSON.stringify(text)}`;
    for (const issue of result.error?.issues ?? []) {
      problems.push({ field: definition.key, message: `${issue.message}${given}` });
    }
  }
  return values as Values<Table>;
}
