import { describe, expect, it } from 'vitest';
import { untilRestart } from '../../../../src/config/settings/diff-settings.ts';
import { settingsEnvironment } from '../../../../src/config/settings/settings-environment.ts';

describe('what the manifest is told of an edited .env', () => {
  const running = settingsEnvironment({}, 'DOMAIN=a.localhost\n');

  it('keeps what waits for a restart, lest services live under another domain than the daemon', () => {
    const edited = settingsEnvironment({}, 'DOMAIN=b.localhost\nHTTPS_PORT=9443\nMAX_URL_SIZE=1k\n');
    expect(untilRestart(running, edited)).toEqual(running);
  });

  it('has what applies at once, what only the manifest reads, and what is none of our settings', () => {
    const edited = settingsEnvironment({}, 'LOG_LEVEL=debug\nFRONTEND_PORT=4000\nCOLOUR=red\n');
    const told = untilRestart(running, edited);
    expect(told).toMatchObject({ DOMAIN: 'a.localhost', LOG_LEVEL: 'debug', FRONTEND_PORT: '4000', COLOUR: 'red' });
  });
});
