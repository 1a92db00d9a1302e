import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ALL_SETTINGS } from '../../../../src/config/settings/setting-definitions.ts';
import { loadSettings } from '../../../../src/config/settings.ts';
import { unknownSettings } from '../../../../src/config/settings/unknown-settings.ts';

const text = readFileSync(new URL('../../../../.env.example', import.meta.url), 'utf8');
const lines = text.split('\n');
const KEY_LINE = /^#?([A-Z][A-Z_]+)=(.*)$/;
const keys = lines.flatMap((line) => KEY_LINE.exec(line)?.[1] ?? []);

describe('.env.example', () => {
  it('has every setting once, in the order of the table, and nothing else', () => {
    expect(keys).toEqual(ALL_SETTINGS.map((definition) => definition.key));
  });

  it.each(ALL_SETTINGS)('says the default and the meaning of $key', (definition) => {
    const index = lines.indexOf(`#${definition.key}=${definition.default}`);
    const comment = lines[index - 1] ?? '';
    expect(comment).toContain(`# ${definition.meaning}`);
    expect(comment.includes('(live)')).toBe(definition.live === true);
    expect(comment.includes('In production:')).toBe(definition.productionDefault !== undefined);
  });

  it('stands under the heading of its group', () => {
    const headings = lines.filter((line) => line.startsWith('## ')).map((line) => line.slice(3));
    expect(headings).toEqual([...new Set(ALL_SETTINGS.map((definition) => definition.group))]);
  });

  it('shows the managed MongoDB', () => {
    expect(text).toContain('mongodb://mongoadmin:secret@localhost:27017/?replicaSet=rs0');
  });

  it('means the defaults when every line is put in force', () => {
    const enforced = text.replaceAll(/^#(?=[A-Z][A-Z_]+=)/gm, '');
    expect(loadSettings({}, enforced)).toEqual(loadSettings({}));
    expect(unknownSettings(enforced)).toEqual([]);
  });
});
