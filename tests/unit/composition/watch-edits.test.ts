import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import { loadSettings } from '../../../src/config/settings.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import { watchEdits } from '../../../src/composition/watch-edits.ts';
import { untilPasses } from '../../support/until.ts';

it('notices the edit of a file that a refused manifest has come to be made of', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'reveille-edits-'));
  const [manifest, part] = [join(folder, 'manifest.ts'), join(folder, 'part.ts')];
  writeFileSync(manifest, '1');
  writeFileSync(part, 'broken');
  const refused: string[] = [];
  let applied = 0;
  const watcher = await watchEdits({
    ...{ settings: loadSettings({ MANIFEST: manifest }, ''), dotenvText: '', envFile: join(folder, '.env') },
    ...{ environment: {}, log: pino({ level: 'silent' }), clock: new SystemClock(), manifestFiles: [manifest] },
    applyManifest: (_settings, _text, onFile) => {
      onFile(part);
      if (refused.length === 0) return Promise.reject(new Error('part.ts is broken'));
      applied += 1;
      return Promise.resolve([manifest, part]);
    },
    applySettings: () => undefined,
    onRefused: (detail) => void refused.push(detail),
    showRefused: () => undefined,
  });
  try {
    writeFileSync(manifest, '2');
    await untilPasses(() => expect(refused).toEqual(['part.ts is broken']));
    await untilPasses(
      () => {
        writeFileSync(part, `mended ${performance.now()}`);
        expect(applied).toBeGreaterThan(0);
      },
      { interval: 250 },
    );
  } finally {
    await watcher.close();
  }
});
