import { mkdtempSync, rmSync, writeFileSync, mkdirSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeEach, describe, expect, it } from 'vitest';
import type { RefusedEdit } from '../../../src/config/refused-edit.ts';
import { loadSettings, type Settings } from '../../../src/config/settings.ts';
import { LiveConfig } from '../../../src/composition/live-config.ts';

describe('an edit of .env while the daemon runs', () => {
  let envFile: string;
  let manifestFails: boolean;
  let applied: Settings[];
  let refused: string[];
  let standing: string[];
  let live: LiveConfig;
  let logged: string[];

  beforeEach(() => {
    envFile = join(mkdtempSync(join(tmpdir(), 'reveille-live-')), '.env');
    [manifestFails, applied, refused, standing, logged] = [false, [], [], [], []];
    const log = pino({}, { write: (line) => void logged.push((JSON.parse(line) as { msg: string }).msg) });
    const tools = {
      ...{ envFile, environment: {}, log },
      applyManifest: () => (manifestFails ? Promise.reject(new Error('it has no routes')) : Promise.resolve()),
      applySettings: (settings: Settings) => void applied.push(settings),
      onRefused: (detail: string) => void refused.push(detail),
      showRefused: (edits: readonly RefusedEdit[]) =>
        (standing = edits.map(({ file, detail }) => `${file}: ${detail}`)),
    };
    live = new LiveConfig(tools, loadSettings({}, ''), '');
    writeFileSync(envFile, 'ADMIN_TOKEN=another\n');
  });

  it('takes over no setting when the manifest cannot do with it', async () => {
    manifestFails = true;
    await live.envEdited();
    expect(refused).toEqual(['it has no routes']);
    expect(applied).toEqual([]);
  });

  it('takes over the settings although a manifest was refused before', async () => {
    manifestFails = true;
    await live.manifestEdited();
    await live.envEdited();
    expect(refused).toEqual(['it has no routes']);
    expect(applied.map(({ adminToken }) => adminToken)).toEqual(['another']);
  });

  it('stands refused until it is mended, and so does one of the manifest', async () => {
    manifestFails = true;
    await live.manifestEdited();
    writeFileSync(envFile, 'DRAIN_TIMEOUT=soon\n');
    await live.envEdited();
    expect(standing).toEqual([
      'services-manifest.ts: it has no routes',
      expect.stringContaining(`${envFile}: `) as string,
    ]);
    manifestFails = false;
    await live.manifestEdited();
    expect(standing).toEqual([expect.stringContaining('DRAIN_TIMEOUT') as string]);
    writeFileSync(envFile, '');
    await live.envEdited();
    expect(standing).toEqual([]);
  });

  it('mends the manifest with what that reads of it', async () => {
    manifestFails = true;
    await live.manifestEdited();
    await live.envEdited();
    expect(standing).toEqual(['services-manifest.ts: it has no routes']);
    manifestFails = false;
    await live.envEdited();
    expect(standing).toEqual([]);
  });

  it('is refused with the name of the file when it cannot be read', async () => {
    rmSync(envFile);
    mkdirSync(envFile);
    await live.envEdited();
    expect(refused[0]).toContain(`${envFile}: cannot be read`);
    expect(applied).toEqual([]);
  });

  it('tells of a setting that was taken over only when it changes, also back to what it was', async () => {
    const said = 'ADMIN_TOKEN changed and is applied';
    await live.envEdited();
    writeFileSync(envFile, 'ADMIN_TOKEN=another\nMINE=1\n');
    await live.envEdited();
    expect(logged).toEqual([said]);
    rmSync(envFile);
    await live.envEdited();
    expect(logged).toEqual([said, said]);
    expect(applied.at(-1)?.adminToken).toBeUndefined();
  });

  it('says which setting a misspelled key was meant to be', async () => {
    writeFileSync(envFile, 'LOG_LEVL=debug\n');
    await live.envEdited();
    expect(logged).toEqual(['LOG_LEVL in .env is not a setting; did you mean LOG_LEVEL?']);
  });
});
