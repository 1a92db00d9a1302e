import { describe, expect, it } from 'vitest';
import { respondWithWaitingPage } from '../../../../src/proxy/answers/page-response.ts';
import { errorPage } from '../../../../src/proxy/answers/pages/error-page.ts';
import { markup } from '../../../../src/lib/markup.ts';
import { waitingPage } from '../../../../src/proxy/answers/pages/waiting-page.ts';
import type { Failure, ServiceView } from '../../../../src/seam/fleet-view.ts';
import { RecordedExchange } from '../../../support/fakes/recorded-exchange.ts';
import { serviceView, wakeProgress } from '../../../support/samples/service-view.ts';

const STARTED = wakeProgress().startedAtEpochMs;
const ATTACK = `</script><img src=x onerror="alert(1)">'&`;
const FAILURE: Failure = {
  code: 'instance_exited',
  detail: 'exit 1',
  logTail: ['Error: no config'],
  atEpochMs: STARTED,
};

function waking(changes: Partial<ServiceView> = {}): ServiceView {
  return serviceView({ status: 'waking', progress: wakeProgress(), ...changes });
}

function render(
  view: ServiceView,
  { development = true, notice }: { development?: boolean; notice?: string } = {},
): string {
  const context = { development, nowEpochMs: STARTED + 7300, requestId: 'req-1', nonce: 'NONCE' };
  return waitingPage(view, notice === undefined ? context : { ...context, notice });
}

describe('the waiting page', () => {
  it('shows the service, the phase in words, how far it is and since when', () => {
    const page = render(waking());
    expect(page).toContain('<title>Building its image · Waking web</title>');
    expect(page).toContain('<h1>Waking web</h1>');
    expect(page).toMatch(/role="progressbar"[^>]*aria-valuenow="40"/);
    expect(page).toContain('--p:0.4');
    expect(page).toContain('<p role="status">Building its image</p><time>7 s</time>');
    expect(page).toContain('<html lang="en"');
  });

  it('does not say the phase twice', () => {
    const page = render(waking({ progress: wakeProgress({ phase: 'start', detail: 'starting' }) }));
    expect(page).toContain('<p role="status">Starting it</p>');
    expect(page).toContain('<p class="note"></p>');
  });

  it('is small', () => {
    expect(Buffer.byteLength(render(waking()))).toBeLessThan(8 * 1024);
  });

  it('loads nothing from anywhere', () => {
    const page = render(waking());
    expect(page).not.toMatch(/https?:\/\/(?!www\.w3\.org\/2000\/svg)/);
    expect(page).not.toMatch(/ (src|style|on\w+)=/);
    expect([...page.matchAll(/<(?:script|style)([^>]*)>/g)].map(([, attributes]) => attributes)).toEqual([
      ' nonce="NONCE"',
      ' nonce="NONCE"',
    ]);
  });

  it('shows the step and the last lines in development only', () => {
    const view = waking({ progress: wakeProgress({ lines: ['npm error code E404'] }) });
    expect(render(view)).toContain('npm error code E404');
    expect(render(view)).toContain('Step 2/7');
    expect(render(view, { development: false })).not.toMatch(/E404|Step 2/);
  });

  it('escapes whatever it is given and drops what only terminals understand', () => {
    const hostile = waking({
      name: ATTACK,
      progress: wakeProgress({ detail: ATTACK, lines: [ATTACK, '\u001b[31mred\u001b[0m\u0007'] }),
    });
    const page = render(hostile, { notice: ATTACK });
    expect(page).not.toContain('<img');
    expect(page.match(/<\/script>/g)).toHaveLength(1);
    expect(page).toContain('&lt;/script&gt;&lt;img src=x onerror=&quot;alert(1)&quot;&gt;&#39;&amp;');
    expect(page).toContain('\nred</pre>');
  });

  it('refreshes without scripts, but not after a failure', () => {
    const refresh = '<noscript><meta http-equiv="refresh" content="1"></noscript>';
    expect(render(waking())).toContain(refresh);
    expect(render(serviceView({ status: 'failed', failure: FAILURE }))).not.toContain('refresh');
  });

  it('shows a failure with its reason, its code, its last lines and a way to try again', () => {
    const page = render(serviceView({ status: 'failed', failure: FAILURE }));
    expect(page).toContain('data-state="failed"');
    expect(page).toContain('<h1>web did not start</h1>');
    expect(page).toContain('<p role="status">exit 1</p>');
    expect(page).toContain('instance_exited');
    expect(page).toContain('Error: no config');
    expect(page).toContain('>Try again</a>');
    expect(render(serviceView({ status: 'failed', failure: FAILURE }), { development: false })).not.toMatch(
      /exit 1|no config/,
    );
  });

  it('says what everyone should know', () => {
    expect(render(waking(), { notice: 'No container engine answers.' })).toContain('No container engine answers.');
  });

  it('is sent as a 503 that no cache keeps', () => {
    const exchange = new RecordedExchange();
    respondWithWaitingPage(exchange, waking(), { development: false, nowEpochMs: STARTED });
    expect(exchange.sent.status).toBe(503);
    expect(exchange.sent.headers).toMatchObject({
      'retry-after': '1',
      'cache-control': 'no-store',
      'x-robots-tag': 'noindex',
      'x-request-id': 'req-1',
    });
    const nonce = /nonce="([^"]+)"/.exec(exchange.sent.body)?.[1];
    expect(exchange.sent.headers['content-security-policy']).toContain(`script-src 'nonce-${nonce}'`);
  });
});

describe('the error page', () => {
  it('speaks of the service by its name and escapes everything', () => {
    const problem = {
      status: 502,
      title: 'The service refused the connection',
      detail: ATTACK,
      code: 'upstream_refused',
      service: ATTACK,
      logTail: [ATTACK],
      close: false,
    };
    const page = errorPage(problem, { host: ATTACK, requestId: ATTACK, nonce: 'NONCE' });
    expect(page).toContain('<h1>&lt;/script&gt;');
    expect(page).toContain(' refused the connection</h1>');
    expect(page).not.toContain('<img');
    expect(Buffer.byteLength(page)).toBeLessThan(8 * 1024);
  });

  it('keeps what looks like a replacement pattern in a name as it is', () => {
    const problem = {
      status: 502,
      title: 'The service failed',
      detail: 'x',
      code: 'x',
      service: "$&$'",
      logTail: [],
      close: false,
    };
    expect(errorPage(problem, { host: 'h', requestId: 'r', nonce: 'n' })).toContain('<h1>$&amp;$&#39; failed</h1>');
  });
});

describe('markup', () => {
  it('escapes values and leaves markup alone, in lists too', () => {
    const item = markup`<li>${'<'}</li>`;
    expect(markup`<ul title="${'"'}">${[item, item]}</ul>${3}`.text).toBe(
      '<ul title="&quot;"><li>&lt;</li><li>&lt;</li></ul>3',
    );
  });

  it('leaves out its own line breaks and keeps those of values', () => {
    const text = markup`
      <pre>${'a\n  b'}</pre>
    `.text;
    expect(text).toBe('<pre>a\n  b</pre>');
  });
});
