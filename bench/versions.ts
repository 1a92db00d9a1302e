import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { hasProgram } from './machine.ts';

const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  nginx: ['nginx', '-v'],
  haproxy: ['haproxy', '-v'],
  caddy: ['caddy', 'version'],
};
const PACKAGES = ['http-proxy', 'httpxy'];

export function versionsOfPeers(): Record<string, string> {
  const programs = Object.entries(PROGRAMS).filter(([name]) => hasProgram(name));
  return Object.fromEntries([
    ...programs.map(([name, [program = '', ...words]]) => {
      const { stdout, stderr } = spawnSync(program, words, { encoding: 'utf8' });
      return [name, /\d+\.\d+[.\d]*/.exec(stdout + stderr)?.[0] ?? 'of unknown version'];
    }),
    ...PACKAGES.map((name) => [name, packageVersion(name)]),
  ]) as Record<string, string>;
}

export function presentCommit(): string {
  return spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim();
}

function packageVersion(name: string): string {
  const path = fileURLToPath(new URL(`../node_modules/${name}/package.json`, import.meta.url));
  return (JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version;
}
