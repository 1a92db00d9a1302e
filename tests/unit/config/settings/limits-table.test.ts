import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { LIMITS, type SettingDefinition } from '../../../../src/config/settings/setting-definitions.ts';

const page = new URL('../../../../docs/LIMITS.md', import.meta.url);
const rows = readFileSync(page, 'utf8')
  .split('\n')
  .filter((line) => line.startsWith('| `'))
  .map((line) => line.split('|').map((cell) => cell.trim()));
const limits = Object.values<SettingDefinition>(LIMITS);

describe('docs/LIMITS.md', () => {
  it('has every limit once, in the order of the table', () => {
    expect(rows.map(([, key]) => key)).toEqual(limits.map(({ key }) => `\`${key}\``));
  });

  it.each(limits)('says the default and the meaning of $key, and names a test that is there', (definition) => {
    const [, , byDefault, meaning, seen, shown = ''] = rows[limits.indexOf(definition)] ?? [];
    expect([byDefault, meaning]).toEqual([`\`${definition.default}\``, definition.meaning]);
    expect(seen).not.toBe('');
    const [, title = '', path = ''] = /^\[(.+)\]\((.+)\)$/.exec(shown) ?? [];
    expect(title).not.toBe('');
    expect(readFileSync(new URL(path, page), 'utf8')).toContain(title);
  });
});
