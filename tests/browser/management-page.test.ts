import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { RuntimeError } from '../../src/fleet/errors.ts';
import { chromiumPath, launchChromium, noChromium, visit } from '../support/clients/chromium.ts';
import { HttpsFront } from '../support/set-ups/https-front.ts';
import { ADMIN_HOST, TestManagement, TOKEN } from '../support/set-ups/management.ts';
import { serviceSpec } from '../support/samples/service-spec.ts';

if (chromiumPath === undefined) console.info(`skipped: the status page in a browser (${noChromium})`);

describe.skipIf(chromiumPath === undefined)('the status page in a browser', () => {
  let browser: Browser;
  let management: TestManagement;
  let front: HttpsFront;
  let page: Page;
  let faults: string[];

  beforeAll(async () => {
    browser = await launchChromium();
  });
  afterAll(() => browser.close());

  beforeEach(async () => {
    const routes = [{ host: 'app.alkimia.localhost', path: '/', port: 3000 }];
    management = await TestManagement.start([serviceSpec({ name: 'web', routes }), serviceSpec({ name: 'api' })]);
    front = await HttpsFront.start(management.socketPath, ADMIN_HOST);
  });
  afterEach(async () => {
    await page.context().close();
    await front.close();
    await management.close();
  });

  async function open(options: { javaScriptEnabled?: boolean } = {}): Promise<void> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, ...options });
    page = await context.newPage();
    faults = [];
    page.on('pageerror', (error) => faults.push(String(error)));
    page.on('console', (message) => {
      if (message.text().includes('Content Security Policy')) faults.push(message.text());
    });
    await visit(page, `https://${ADMIN_HOST}:${front.port}/`);
  }

  async function signIn(token = TOKEN): Promise<void> {
    await page.fill('#token', token);
    await page.click('button.main');
  }

  it('asks for the token, refuses a wrong one, and shows the services for the right one', async () => {
    await open();
    await signIn('wrong');
    await page.waitForSelector('[role=alert]');
    await signIn();
    await page.waitForSelector('.services');
    expect(await page.textContent('h1')).toBe('All is quiet.');
    expect(await page.getAttribute('.where a', 'href')).toBe('https://app.alkimia.localhost:8443');
    expect(faults).toEqual([]);
  });

  it('wakes a service by its button, follows it without a reload, and keeps the focus', async () => {
    await open();
    await signIn();
    await page.click('#wake-web');
    await page.waitForSelector('[data-status=awake] #sleep-web');
    expect(await page.evaluate('document.activeElement.id')).toBe('sleep-web');
    await page.click('#sleep-web');
    await page.waitForSelector('[data-status=asleep] #wake-web');
    expect(faults).toEqual([]);
  });

  it('shows why a service failed', async () => {
    const startFails = new RuntimeError('instance_exited', 'web-1 ended', { logTail: ['<b>boom</b>'] });
    management.runtime.behave('web', { startFails });
    await open();
    await signIn();
    await page.click('#wake-web');
    await page.waitForSelector('[data-status=failed]');
    expect(await page.textContent('.more pre')).toBe('<b>boom</b>');
  });

  it('signs out', async () => {
    await open();
    await signIn();
    await page.click('text=Sign out');
    await page.waitForSelector('#token');
  });

  it('works without a script', async () => {
    await open({ javaScriptEnabled: false });
    await signIn();
    await page.click('#wake-web');
    await page.waitForSelector('[data-status=awake] #sleep-web', { timeout: 10_000 });
  });
});
