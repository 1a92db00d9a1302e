import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { ConfigWatcher, type ConfigChange } from '../../../src/config/watch-config.ts';
import { SystemClock, type Clock } from '../../../src/lib/clock.ts';
import { FakeClock } from '../../support/fakes/fake-clock.ts';
import { untilPasses } from '../../support/until.ts';

let folder: string;
let changes: ConfigChange['kind'][];
let watcher: ConfigWatcher;

const at = (name: string): string => join(folder, name);

function watcherWith(clock: Clock): ConfigWatcher {
  return new ConfigWatcher({
    manifestPath: at('manifest.ts'),
    envPath: at('.env'),
    clock,
    logger: pino({ level: 'silent' }),
    onChange: ({ kind }) => changes.push(kind),
  });
}

async function expectChange(kind: ConfigChange['kind']): Promise<void> {
  await untilPasses(() => expect([...new Set(changes)]).toEqual([kind]));
  changes.length = 0;
}

describe('the watch on the configuration', () => {
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'reveille-watch-'));
    changes = [];
    mkdirSync(at('parts'));
    writeFileSync(at('manifest.ts'), '1');
    writeFileSync(at('parts/part.ts'), '1');
    watcher = watcherWith(new SystemClock());
    await watcher.start();
  });

  afterEach(async () => {
    await watcher.close();
    rmSync(folder, { recursive: true });
  });

  it('takes what is written within a tenth of a second for one change', async () => {
    await watcher.close();
    const clock = new FakeClock();
    watcher = watcherWith(clock);
    await watcher.start();
    let text = '1';
    const write = (): void => {
      writeFileSync(at('manifest.ts'), (text += '1'));
      expect(clock.nextInMs).toBe(100);
    };
    for (let round = 0; round < 3; round += 1) {
      // chokidar passes on one change of a file in 50 ms, so a write may have to be repeated until it is told.
      await untilPasses(write, { interval: 80 });
      clock.advance(60);
    }
    expect(changes).toEqual([]);
    await untilPasses(() => {
      clock.advance(100);
      expect(changes).toEqual(['manifest']);
    });
  });

  it('notices a manifest that is replaced by a rename, again and again', async () => {
    for (const text of ['22', '333', '4444']) {
      writeFileSync(at('.manifest.swp'), text);
      renameSync(at('.manifest.swp'), at('manifest.ts'));
      await expectChange('manifest');
    }
  });

  it('notices a .env that was absent at first, its edits, and its end', async () => {
    writeFileSync(at('.env'), 'A=1');
    await expectChange('env');
    writeFileSync(at('.env'), 'A=22');
    await expectChange('env');
    rmSync(at('.env'));
    await expectChange('env');
  });

  it('notices edits of what the manifest is made of, once told', async () => {
    watcher.setManifestFiles([at('manifest.ts'), at('parts/part.ts'), at('new.env')]);
    // The folder is read before it is watched: write until that is done.
    let size = 0;
    await untilPasses(
      () => {
        writeFileSync(at('parts/part.ts'), 'x'.repeat((size += 1)));
        expect(changes).toContain('manifest');
      },
      { interval: 250 },
    );
    changes.length = 0;
    writeFileSync(at('new.env'), 'A=1');
    await untilPasses(() => expect(changes).toContain('manifest'));
  });

  it('does not care for other files beside them', async () => {
    writeFileSync(at('other.ts'), '1');
    writeFileSync(at('parts/part.ts'), '22');
    writeFileSync(at('manifest.ts'), '22');
    await expectChange('manifest');
  });

  it('tells nothing after it was closed, which may happen twice', async () => {
    writeFileSync(at('manifest.ts'), '22');
    await watcher.close();
    await watcher.close();
    expect(changes).toEqual([]);
  });
});
