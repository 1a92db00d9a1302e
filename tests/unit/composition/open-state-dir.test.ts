import { mkdtempSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { openStateDir } from '../../../src/composition/open-state-dir.ts';

describe('the folder of what the daemon keeps', () => {
  const parent = mkdtempSync(join(tmpdir(), 'reveille-state-'));

  it('is made for its owner alone', async () => {
    const path = await openStateDir({ stateDir: join(parent, 'a/b') });
    expect(statSync(path).mode & 0o777).toBe(0o700);
  });

  it('is named by its setting when it cannot be made', async () => {
    writeFileSync(join(parent, 'file'), '');
    await expect(openStateDir({ stateDir: join(parent, 'file') })).rejects.toThrow(
      /STATE_DIR: cannot be made a folder/,
    );
  });
});
