import { existsSync } from 'node:fs';
import { chromium, type Browser } from 'playwright-core';

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
    args: ['--no-sandbox', '--host-resolver-rules=MAP * 127.0.0.1', ...flags],
  });
}
