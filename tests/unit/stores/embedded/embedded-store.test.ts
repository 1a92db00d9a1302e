import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../../../src/lib/clock.ts';
import { EmbeddedStore } from '../../../../src/stores/embedded/embedded-store.ts';
import { loadSqlite } from '../../../../src/stores/embedded/sqlite.ts';
import type { StorePlace } from '../../../contract/write-and-kill.ts';
import { serviceRecord, sessionRecord } from '../../../contract/state-store-suite/records.ts';

describe('embedded store', () => {
  let folder: string;
  let stateDir: string;
  let lines: string[];
  const opened: EmbeddedStore[] = [];

  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'reveille-embedded-'));
    stateDir = path.join(folder, 'deep', 'state');
    lines = [];
  });

  afterEach(async () => {
    await Promise.all(opened.splice(0).map((store) => store.close()));
    await rm(folder, { recursive: true, force: true });
  });

  function makeStore(): EmbeddedStore {
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const store = new EmbeddedStore({ stateDir, clock: new SystemClock(), log });
    opened.push(store);
    return store;
  }

  async function started(): Promise<EmbeddedStore> {
    const store = makeStore();
    await store.start();
    return store;
  }

  /** Changes the file behind the store's back. */
  async function tamper(sql: string): Promise<void> {
    const { DatabaseSync } = await loadSqlite();
    const database = new DatabaseSync(path.join(stateDir, 'reveille.db'));
    database.exec(sql);
    database.close();
  }

  it('makes the folder and the file for the owner alone', async () => {
    const store = await started();
    await store.putService(serviceRecord('web'));
    expect((await stat(stateDir)).mode & 0o777).toBe(0o700);
    for (const name of await readdir(stateDir)) {
      expect((await stat(path.join(stateDir, name))).mode & 0o077).toBe(0);
    }
  });

  it('moves a file that is no database aside, says so and begins anew', async () => {
    await mkdir(stateDir, { recursive: true });
    const garbage = 'this is not a database. '.repeat(500);
    await writeFile(path.join(stateDir, 'reveille.db'), garbage);
    const store = await started();
    expect(await store.putService(serviceRecord('web'))).toBe(true);
    const aside = (await readdir(stateDir)).find((name) => name.startsWith('reveille.db.corrupt-'));
    expect(await readFile(path.join(stateDir, aside!), 'utf8')).toBe(garbage);
    expect(lines.filter((line) => line.includes('moved aside'))).toHaveLength(1);
  });

  it('moves a database with damaged pages aside', async () => {
    const store = await started();
    for (let n = 0; n < 300; n += 1) await store.putService(serviceRecord(`service-${n}`));
    await store.close();
    const file = path.join(stateDir, 'reveille.db');
    const bytes = await readFile(file);
    bytes.fill(0xa5, 4096, bytes.length - 4096);
    await writeFile(file, bytes);
    const again = await started();
    expect(await again.listServices()).toEqual([]);
    expect((await readdir(stateDir)).some((name) => name.startsWith('reveille.db.corrupt-'))).toBe(true);
  });

  it('refuses a folder that another store has open, and takes it once that one is closed', async () => {
    const first = await started();
    const second = makeStore();
    await expect(second.start()).rejects.toMatchObject({
      code: 'store_locked',
      message: expect.stringMatching(/reveille\.db.*STATE_DIR/) as string,
    });
    expect(second.condition).toMatchObject({ up: false });
    await first.putService(serviceRecord('web'));
    await first.close();
    await second.start();
    expect(await second.listServices()).toHaveLength(1);
  });

  it('refuses a folder that another process has open, and takes it as soon as that one is killed', async () => {
    const writer = path.join(import.meta.dirname, '../../../contract/state-store-writer.ts');
    const place: StorePlace = { kind: 'embedded', stateDir };
    const child = spawn(process.execPath, ['--import', 'tsx', writer, JSON.stringify(place)], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    const exited = once(child, 'exit');
    try {
      child.send([serviceRecord('web')]);
      await once(child, 'message');
      await expect(makeStore().start()).rejects.toMatchObject({ code: 'store_locked' });
    } finally {
      child.kill('SIGKILL');
      await exited;
    }
    expect(await (await started()).listServices()).toHaveLength(1);
  });

  it('says what to do when the folder cannot be made', async () => {
    await mkdir(path.dirname(stateDir), { recursive: true });
    await writeFile(stateDir, 'a file where the folder should be');
    await expect(makeStore().start()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringContaining('STATE_DIR') as string,
    });
  });

  it('skips a row that it cannot read, names the service in the log, and lets the next write replace it', async () => {
    const store = await started();
    await store.putService(serviceRecord('api'));
    await store.putService(serviceRecord('web', { rev: 700 }));
    await store.close();
    await tamper(`UPDATE services SET record = '{"v":1,"_id":"web"}' WHERE name = 'web'`);
    const again = await started();
    expect((await again.listServices()).map((record) => record._id)).toEqual(['api']);
    expect(await again.getService('web')).toBeUndefined();
    expect(lines.some((line) => line.includes('"service":"web"') && line.includes('cannot be read'))).toBe(true);
    expect(await again.putService(serviceRecord('web', { rev: 1 }))).toBe(true);
    expect(await again.getService('web')).toEqual(serviceRecord('web', { rev: 1 }));
  });

  it('rejects a write that the disk refuses, tells its condition, and recovers', async () => {
    const store = await started();
    await store.close();
    await tamper(
      `CREATE TRIGGER full_disk BEFORE INSERT ON services WHEN NEW.name = 'web' BEGIN SELECT RAISE(ABORT, 'disk I/O error'); END`,
    );
    const again = await started();
    await expect(again.putService(serviceRecord('web'))).rejects.toMatchObject({ code: 'store_failed' });
    expect(again.condition).toMatchObject({ up: false, reason: expect.stringContaining('disk I/O error') as string });
    await again.putService(serviceRecord('api'));
    expect(again.condition).toEqual({ up: true });
  });

  it('tells why the disk refused also when that has ended the transaction, as a full disk does', async () => {
    const store = await started();
    await store.close();
    await tamper(
      `CREATE TRIGGER full_disk BEFORE INSERT ON sessions BEGIN SELECT RAISE(ROLLBACK, 'disk is full'); END`,
    );
    const again = await started();
    await expect(again.saveSessions([sessionRecord('a')])).rejects.toThrow(/disk is full/);
  });

  it('stores a thousand writes in a few seconds', async () => {
    const store = await started();
    const begun = performance.now();
    for (let n = 0; n < 1000; n += 1) await store.putService(serviceRecord(`service-${n % 50}`, { rev: n + 1 }));
    expect(performance.now() - begun).toBeLessThan(10_000);
    expect(await store.listServices()).toHaveLength(50);
  });
});
