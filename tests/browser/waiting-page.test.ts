import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SystemClock } from '../../src/lib/clock.ts';
import type { ClientExchange } from '../../src/proxy/exchange/client-exchange.ts';
import { respondWithError } from '../../src/proxy/answers/error-response.ts';
import { respondWithWaitingPage } from '../../src/proxy/answers/page-response.ts';
import { errorOfFailure } from '../../src/proxy/answers/problem.ts';
import { WakeFeed } from '../../src/proxy/answers/wake-feed.ts';
import { wellKnown } from '../../src/proxy/answers/well-known.ts';
import type { Failure, ServiceView } from '../../src/seam/fleet-view.ts';
import { chromiumPath, launchChromium, NETWORK_CHANGED, noChromium, visit } from '../support/clients/chromium.ts';
import { FrontDoor } from '../support/set-ups/front-door.ts';
import { awakeView, serviceView, wakeProgress } from '../support/samples/service-view.ts';
import { until, untilPasses } from '../support/until.ts';

const FAILURE: Failure = {
  code: 'instance_exited',
  detail: 'web-1 ended with code 1.',
  logTail: ['Error: </script> is missing'],
  atEpochMs: Date.now(),
};

/** The path of a request through the proxy without a fleet: the state of its one service is what the test says. */
class StandIn {
  feed = StandIn.#newFeed();
  view: ServiceView = waking();
  /** When the service itself was asked for its page. */
  readonly served: number[] = [];
  readonly navigations: string[] = [];
  readonly #door: FrontDoor;

  private constructor(door: FrontDoor) {
    this.#door = door;
  }

  static async open(): Promise<StandIn> {
    const door = await FrontDoor.open({ onExchange: (exchange) => stand.#answer(exchange) });
    const stand = new StandIn(door);
    return stand;
  }

  static #newFeed(): WakeFeed {
    return new WakeFeed({ clock: new SystemClock(), development: true });
  }

  get url(): string {
    return `https://app.test:${this.#door.port}`;
  }

  set(view: ServiceView): void {
    this.view = view;
    this.feed.serviceChanged(view);
  }

  restartFeed(): void {
    this.feed.close();
    this.feed = StandIn.#newFeed();
  }

  async close(): Promise<void> {
    this.feed.close();
    await this.#door.close();
  }

  #answer(exchange: ClientExchange): void {
    const own = wellKnown(exchange.target);
    if (own !== undefined) {
      this.feed.serve(exchange, own.kind, this.view);
      return;
    }
    const now = { development: true, nowEpochMs: Date.now() };
    this.navigations.push(exchange.target);
    if (this.view.status === 'awake') {
      this.served.push(performance.now());
      exchange.respond(200, ['content-type', 'text/html'], '<title>The app</title>');
    } else if (this.view.failure !== undefined) {
      respondWithError(exchange, errorOfFailure('web', this.view.failure, now.nowEpochMs), now);
    } else respondWithWaitingPage(exchange, this.view, now);
  }
}

function waking(progress: Parameters<typeof wakeProgress>[0] = {}): ServiceView {
  return serviceView({ status: 'waking', progress: wakeProgress({ startedAtEpochMs: Date.now(), ...progress }) });
}

/** Waits for the page of this title, through reloads. */
async function titled(page: Page, title: string): Promise<void> {
  const arrived = async (): Promise<boolean> => {
    if ((await page.evaluate('location.protocol')) === 'chrome-error:') await page.reload();
    return (await page.title()) === title;
  };
  // While the page changes there is nothing to be asked for its title.
  await until(() => arrived().catch(() => false));
}

if (chromiumPath === undefined) console.info(`skipped: the waiting page in a browser (${noChromium})`);

describe.skipIf(chromiumPath === undefined)('the waiting page in a browser', () => {
  let browser: Browser;
  let stand: StandIn;
  const complaints: string[] = [];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());
  beforeEach(async () => {
    complaints.length = 0;
    stand = await StandIn.open();
  });
  afterEach(async () => {
    await Promise.all(browser.contexts().map((context) => context.close()));
    await stand.close();
  });

  async function open(path = '/', options: BrowserContextOptions = {}, inside = browser): Promise<Page> {
    const context = await inside.newContext({ ignoreHTTPSErrors: true, ...options });
    const page = await context.newPage();
    page.on('console', (message) => {
      const expected = ['a status of 503', NETWORK_CHANGED].some((part) => message.text().includes(part));
      if (message.type() === 'error' && !expected) complaints.push(message.text());
    });
    page.on('pageerror', (error) => complaints.push(error.message));
    expect(await visit(page, stand.url + path)).toBe(stand.view.failure === undefined ? 503 : 502);
    return page;
  }

  /** Waits until the page hears of changes. */
  async function listening(): Promise<void> {
    await until(() => stand.feed.open === 1);
  }

  async function expectGoingThere(inside: Browser): Promise<void> {
    const delays: number[] = [];
    // The promise is about the page; a machine that is busy with other tests gets some tries to show it.
    while (delays.length < 8 && !delays.some((delay) => delay < 200)) {
      stand.set(waking());
      const page = await open('/deep/page?x=1#part', {}, inside);
      await listening();
      const readyAt = performance.now();
      stand.set(awakeView());
      await titled(page, 'The app');
      delays.push(stand.served.at(-1)! - readyAt);
      expect(page.url()).toBe(`${stand.url}/deep/page?x=1#part`);
      await page.context().close();
    }
    expect(Math.min(...delays)).toBeLessThan(200);
  }

  it('goes to the app within 200 ms of readiness, to the very address that was asked for', async () => {
    await expectGoingThere(browser);
  });

  it('does so over HTTP/1.1 as well', async () => {
    const old = await launchChromium('--disable-http2');
    await expectGoingThere(old).finally(() => old.close());
  });

  it('follows the wake without a complaint of the browser', async () => {
    const page = await open();
    await listening();
    stand.set(waking({ phase: 'ready', ratio: 0.8, detail: 'Probing', lines: ['<b>listening</b> on 3000'] }));
    await titled(page, 'Waiting until it answers · Waking web');
    expect(await page.getByRole('progressbar').getAttribute('aria-valuenow')).toBe('80');
    expect(await page.locator('pre').textContent()).toBe('<b>listening</b> on 3000');
    expect(await page.getByRole('status').textContent()).toBe('Waiting until it answers');
    await untilPasses(async () => expect(await page.locator('time').textContent()).not.toBe('0 s'));
    expect(await page.getByText('Try again').isVisible()).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('shows a failure, and starts over when asked to', async () => {
    const page = await open('/#kept');
    await listening();
    stand.set(serviceView({ status: 'failed', failure: FAILURE }));
    await page.getByRole('heading', { name: 'web did not start' }).waitFor();
    expect(await page.getByRole('status').textContent()).toBe('web-1 ended with code 1.');
    expect(await page.locator('pre').textContent()).toBe('Error: </script> is missing');
    expect(stand.navigations).toHaveLength(1);
    stand.view = awakeView();
    await page.getByText('Try again').click();
    await titled(page, 'The app');
    expect(page.url()).toBe(`${stand.url}/#kept`);
  });

  it('takes up again when somebody else wakes the service after a failure', async () => {
    const page = await open();
    await listening();
    stand.set(serviceView({ status: 'failed', failure: FAILURE }));
    await page.getByText('Try again').waitFor();
    stand.set(waking({ phase: 'start' }));
    await page.getByText('Starting it').waitFor();
    stand.set(awakeView());
    await titled(page, 'The app');
  });

  it('asks again when the service has fallen asleep meanwhile', async () => {
    const page = await open();
    await listening();
    stand.set(serviceView());
    await until(() => stand.navigations.length >= 2);
    stand.set(awakeView());
    await titled(page, 'The app');
  });

  it('finds its way without the event stream', async () => {
    const full = new WakeFeed({ clock: new SystemClock(), development: true, maxOpen: 0 });
    stand.feed = full;
    const page = await open();
    stand.view = awakeView();
    await titled(page, 'The app');
  });

  it('survives a restart of the proxy', async () => {
    const page = await open();
    await listening();
    stand.restartFeed();
    await listening();
    stand.set(awakeView());
    await titled(page, 'The app');
  });

  it('refreshes by itself without scripts', async () => {
    const page = await open('/plain', { javaScriptEnabled: false });
    expect(await page.getByText('Building its image').isVisible()).toBe(true);
    stand.view = awakeView();
    await titled(page, 'The app');
  });

  it('shows the failure instead of the app, and lets it be tried again', async () => {
    stand.view = serviceView({ status: 'failed', failure: FAILURE });
    const page = await open();
    expect(await page.getByRole('heading').textContent()).toBe('web did not start');
    stand.view = awakeView();
    await page.getByText('Try again').click();
    await titled(page, 'The app');
  });
});
