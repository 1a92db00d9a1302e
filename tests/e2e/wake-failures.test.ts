import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Daemon } from '../support/set-ups/daemon.ts';
import { dockerAvailable, fixtureImage } from '../support/servers/docker.ts';
import { untilPasses } from '../support/until.ts';

const hasDocker = await dockerAvailable();

function services(image: string): Record<string, unknown> {
  const ends = (code: number): Record<string, unknown> => ({ image, env: { EXIT_CODE: code } });
  return {
    crasher: { routes: ['crasher'], ...ends(1) },
    looper: { routes: ['looper'], ...ends(7) },
    never: { routes: ['never'], image, env: { READY_AFTER_MS: 600_000 }, wake: { timeout: '2s' } },
    failing: { ...ends(3), job: true },
    dependent: { routes: ['dependent'], image, dependsOn: ['failing'] },
    absent: { routes: ['absent'], image: 'reveille-e2e/there-is-no-such-image:1', pull: 'never' },
    healthy: { routes: ['healthy'], image },
  };
}

interface Problem {
  readonly code: string;
  readonly detail: string;
  readonly requestId: string;
  readonly logTail: readonly string[];
}

describe.skipIf(!hasDocker)('a wake that fails', () => {
  let daemon: Daemon;

  beforeAll(async () => {
    daemon = await Daemon.start({ services: services(await fixtureImage()) });
  });

  afterAll(() => daemon.dispose());

  it('answers all who wait 502 with the reason as soon as the container exits (scenario 14)', async () => {
    const answers = await Promise.all([daemon.ask('crasher'), daemon.ask('crasher'), daemon.ask('crasher')]);
    const answeredAtMs = Date.now();

    expect(answers.map(({ status }) => status)).toEqual([502, 502, 502]);
    const problem = answers[0].json<Problem>();
    expect(answers[0].headers['content-type']).toBe('application/problem+json');
    expect(problem).toMatchObject({ status: 502, code: 'instance_exited', service: 'crasher' });
    expect(problem.detail).toContain('exit code 1');
    expect(problem.requestId).toBe(answers[0].headers['x-request-id']);
    const { State } = await (await daemon.containers.one('crasher')).inspect();
    expect(answeredAtMs - Date.parse(State.FinishedAt)).toBeLessThan(20_000);
    expect(daemon.events('wake.requested', 'crasher')).toHaveLength(1);
  });

  it('tells the last log lines in development', async () => {
    const { logTail } = (await daemon.ask('crasher')).json<Problem>();

    expect(logTail.join('\n')).toContain('exits with 1');
  });

  it('backs off from a crash loop with 503 and Retry-After, without another try (scenario 14)', async () => {
    const tries = [];
    for (let n = 0; n < 3; n += 1) tries.push((await daemon.ask('looper')).status);
    const starts = daemon.events('instance.starting', 'looper').length;

    const answer = await daemon.ask('looper');

    expect(tries).toEqual([502, 502, 502]);
    expect(starts).toBe(3);
    expect(answer.status).toBe(503);
    expect(Number(answer.headers['retry-after'])).toBeGreaterThanOrEqual(1);
    expect(answer.json()).toMatchObject({ code: 'crash_loop', status: 503 });
    expect(daemon.events('instance.starting', 'looper')).toHaveLength(starts);
  });

  it('answers 504 at wake.timeout, keeps the log tail and stops the container (scenario 15)', async () => {
    const begunMs = performance.now();
    const answer = await daemon.ask('never');
    const tookMs = performance.now() - begunMs;

    expect(answer.status).toBe(504);
    const problem = answer.json<Problem>();
    // The request waits for the whole wake, the start has its own time: on a busy machine the request is over first.
    expect(problem.code).toMatch(/^(wake_timeout|not_ready_in_time)$/);
    expect(tookMs).toBeGreaterThanOrEqual(2000);
    expect(await daemon.event('service.failed', 'never')).toMatchObject({ code: 'not_ready_in_time' });
    await untilPasses(async () => expect(await daemon.containers.states('never')).toEqual(['exited']));
    const { failure } = (await daemon.api('GET', '/services/never')).json<{ failure: Problem }>();
    expect(failure.logTail.join('\n')).toContain('fixture starts');
  });

  it('of a dependency names it, and does not start who needs it', async () => {
    const answer = await daemon.ask('dependent');

    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ code: 'dependency_failed', service: 'dependent' });
    expect(answer.json<Problem>().detail).toMatch(/failing.*exit code 3/);
    expect(await daemon.containers.list('dependent')).toEqual([]);
  });

  it('for want of an image says so at once', async () => {
    const answer = await daemon.ask('absent');

    expect(answer.status).toBe(502);
    expect(answer.json()).toMatchObject({ code: 'image_missing' });
  });

  it('shows a browser a page with the reason', async () => {
    const answer = await daemon.ask('absent', { headers: { 'sec-fetch-mode': 'navigate' } });

    expect(answer.status).toBe(502);
    expect(answer.headers['content-type']).toContain('text/html');
    expect(answer.body).toContain('reveille-e2e/there-is-no-such-image:1');
  });

  it('leaves all other services alone', async () => {
    expect((await daemon.ask('healthy')).status).toBe(200);
    expect((await daemon.api('GET', '/health')).json()).toMatchObject({ status: 'degraded' });
  });
});
