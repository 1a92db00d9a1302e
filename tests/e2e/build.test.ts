import { mkdir, utimes, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable } from '../support/servers/docker.ts';
import { untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();

const DOCKERFILE = 'FROM reveille-base:20\nWORKDIR /app\nCOPY . .\nCMD ["node", "/app/server.mjs"]\n';
const BREAKS = `RUN ["node", "-e", "console.error('nothing fits together'); process.exit(3)"]\n`;

/** Answers with `text` and the files of its folder. */
function program(text: string): string {
  return `import { readdirSync } from 'node:fs';
import { createServer } from 'node:http';
const body = JSON.stringify({ text: '${text}', files: readdirSync('/app'), colour: process.env.COLOUR });
createServer((_, response) => response.end(body)).listen(3000);
process.on('SIGTERM', () => process.exit(0));
`;
}

describe.skipIf(!hasDocker)('a service that is built', () => {
  let daemon: Daemon;

  const file = (name: string): string => join(daemon.dir, 'context', name);
  const write = async (name: string, text: string): Promise<void> => {
    await mkdir(dirname(file(name)), { recursive: true });
    await writeFile(file(name), text);
  };
  const builds = (): number => daemon.events('build.started', 'built').length;
  const sleepAndAsk = async (): Promise<Record<string, unknown>> => {
    await daemon.api('POST', '/services/built/sleep');
    return (await daemon.ask('built')).json();
  };
  const manifest = (colour: string): Record<string, unknown> => ({
    built: { routes: ['built'], build: { context: './context' }, env: { COLOUR: colour } },
    broken: { routes: ['broken'], build: { context: './broken' } },
  });

  beforeAll(async () => {
    daemon = await Daemon.make({ services: manifest('red') });
    await write('Dockerfile', DOCKERFILE);
    await write('.dockerignore', 'notes\n*.log\n');
    await write('server.mjs', program('first'));
    await write('notes/private.txt', 'not for the image');
    await write('../broken/Dockerfile', DOCKERFILE + BREAKS);
    await daemon.boot();
  });

  afterAll(() => daemon.dispose());

  it('has its image made with its first wake, on a base that is there or made as well', async () => {
    const answer = await daemon.ask('built');

    expect(answer.status).toBe(200);
    expect(answer.json()).toMatchObject({ text: 'first' });
    expect(answer.headers['server-timing']).toMatch(/build;dur=[\d.]+/);
    expect(builds()).toBe(1);
    expect(daemon.events('build.finished', 'built')).toHaveLength(1);
  });

  it('has nothing in its image that .dockerignore names', async () => {
    const { files } = (await daemon.ask('built')).json();

    expect(files).toContain('server.mjs');
    expect(files).not.toContain('notes');
  });

  it('is not built again when nothing changed, or only what .dockerignore names, or a time', async () => {
    await write('notes/private.txt', 'changed');
    await write('debug.log', 'new');
    await utimes(file('server.mjs'), new Date(), new Date());

    expect(await sleepAndAsk()).toMatchObject({ text: 'first' });
    expect(builds()).toBe(1);
  });

  it('is built again with the next wake when its context changed', async () => {
    await write('server.mjs', program('second'));

    expect(await sleepAndAsk()).toMatchObject({ text: 'second' });
    expect(builds()).toBe(2);
  });

  it('goes on from its old image when its new one cannot be built (scenario 36)', async () => {
    const [before] = await daemon.containers.list('built');
    await write('Dockerfile', DOCKERFILE + BREAKS);
    await daemon.writeManifest(manifest('blue'));

    const failed = await daemon.event('build.failed', 'built');

    expect(failed).toMatchObject({ code: 'build_failed' });
    expect(String(failed['logTail'])).toContain('nothing fits together');
    expect((await daemon.ask('built')).json()).toMatchObject({ text: 'second', colour: 'red' });
    expect((await daemon.containers.list('built')).map(({ Id, State }) => [Id, State])).toEqual([
      [before?.Id, 'running'],
    ]);
  });

  it('takes the place of its old self once it can be built again', async () => {
    await write('Dockerfile', DOCKERFILE);
    await daemon.writeManifest(manifest('green'));

    await untilPasses(async () => expect((await daemon.ask('built')).json()).toMatchObject({ colour: 'green' }));
  });

  it('answers who waits 502 with the last lines of the build when it fails (scenario 36)', async () => {
    const answer = await daemon.ask('broken');

    expect(answer.status).toBe(502);
    const problem = answer.json<{ code: string; logTail: string[] }>();
    expect(problem.code).toBe('build_failed');
    expect(problem.logTail.join('\n')).toContain('nothing fits together');
    const { status, failure } = (await daemon.api('GET', '/services/broken')).json();
    expect(status).toBe('failed');
    expect(failure).toMatchObject({ code: 'build_failed' });
  });
});
