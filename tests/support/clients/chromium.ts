import { existsSync } from 'node:fs';
import { chromium, type Browser, type Page } from 'playwright-core';

const PATHS = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];

/** The browser of this machine; undefined when it has none. */
export const chromiumPath = PATHS.find((path) => existsSync(path));

/** Why tests with a browser are skipped. */
export const noChromium = `no chromium at ${PATHS.join(', ')}`;

/** A headless browser for which every name is this machine. */
export function launchChromium(...flags: string[]): Promise<Browser> {
  if (chromiumPath === undefined) throw new Error(noChromium);
  return chromium.launch({
    executablePath: chromiumPath,
    args: ['--no-sandbox', '--disable-auto-reload', '--host-resolver-rules=MAP * 127.0.0.1', ...flags],
  });
}

/** What Chromium says when it gives up the connections that it is making, because an address of the machine changed. */
export const NETWORK_CHANGED = 'ERR_NETWORK_CHANGED';
/** It says so itself, or is on its way to its own page that says so. */
const INTERRUPTED = /ERR_NETWORK_CHANGED|interrupted by another navigation/;

/**
 * Opens a page. The network changes with each container that other tests start: a visitor's browser then tries again by
 * itself, a headless one has to be told.
 * @returns the status of the answer
 */
export async function visit(page: Page, url: string): Promise<number | undefined> {
  for (;;) {
    try {
      // From another page: to the one that it shows already, with its fragment, it would not go at all.
      await page.goto('about:blank');
      return (await page.goto(url))?.status();
    } catch (error) {
      if (!INTERRUPTED.test(String(error))) throw error;
    }
  }
}
