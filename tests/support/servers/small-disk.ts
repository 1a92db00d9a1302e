import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, rmdirSync } from 'node:fs';
import { mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const FILLER = 'filler';
const PIECE = Buffer.alloc(4096);

/** A file system of its own in memory, small enough to be filled up. Needs root. */
export class SmallDisk {
  readonly path: string;

  private constructor(path: string) {
    this.path = path;
  }

  /** Why there can be none here; undefined when there can. */
  static refusal(): string | undefined {
    const path = mkdtempSync(join(tmpdir(), 'rv-disk-'));
    const { status, stderr, error } = mountAt(path, '1m');
    if (status === 0) spawnSync('umount', [path]);
    rmdirSync(path);
    return status === 0 ? undefined : `a small disk cannot be mounted here: ${error?.message ?? stderr.trim()}`;
  }

  /** @param size as mount(8) takes it, such as `2m` */
  static async mount(path: string, size: string): Promise<SmallDisk> {
    await mkdir(path, { recursive: true });
    const { status, stderr } = mountAt(path, size);
    if (status !== 0) throw new Error(`${path} could not be mounted: ${stderr}`);
    return new SmallDisk(path);
  }

  /** Leaves no room for anything more. */
  async fill(): Promise<void> {
    await mkdir(join(this.path, FILLER), { recursive: true });
    for (let n = 0; ; n += 1) {
      try {
        await writeFile(join(this.path, FILLER, String(n)), PIECE);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
        throw error;
      }
    }
  }

  async free(): Promise<void> {
    await rm(join(this.path, FILLER), { recursive: true, force: true });
  }

  unmount(): void {
    spawnSync('umount', ['--lazy', this.path]);
    rmSync(this.path, { recursive: true, force: true });
  }
}

function mountAt(path: string, size: string): ReturnType<typeof spawnSync> & { stderr: string } {
  return spawnSync('mount', ['-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', path], { encoding: 'utf8' });
}
