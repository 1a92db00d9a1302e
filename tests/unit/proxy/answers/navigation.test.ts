import { describe, expect, it } from 'vitest';
import { isNavigation } from '../../../../src/proxy/answers/navigation.ts';
import { RecordedExchange } from '../../../support/fakes/recorded-exchange.ts';

const BROWSER = 'text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8';

function asks(headers: Record<string, string>, method = 'GET'): boolean {
  return isNavigation(new RecordedExchange({ method, headers }));
}

describe('isNavigation', () => {
  it('believes Sec-Fetch-Mode whatever Accept says', () => {
    expect(asks({ 'sec-fetch-mode': 'navigate', accept: '*/*' })).toBe(true);
    for (const mode of ['cors', 'no-cors', 'same-origin', 'websocket']) {
      expect(asks({ 'sec-fetch-mode': mode, accept: BROWSER }), mode).toBe(false);
    }
  });

  it.each([
    BROWSER,
    'text/html',
    'TEXT/HTML; charset=utf-8',
    'text/html, application/json',
    'application/json;q=0.9, text/html',
    'application/json;q=0.5, text/html;q=0.6, */*;q=0.1',
    'application/xhtml+xml',
  ])('takes a client without that field for a browser when it prefers HTML: %s', (accept) => {
    expect(asks({ accept })).toBe(true);
  });

  it.each([
    '*/*',
    '',
    'text/*',
    'application/json',
    'application/json, text/html',
    'application/json, text/plain, */*',
    'text/html;q=0.5, application/json',
    'text/html;q=0.5, */*',
    'text/html;q=0',
    'text/html;q=2',
    'text/event-stream',
    'image/avif,image/webp,*/*;q=0.8',
    ', ;q=1 ,',
  ])('gives no page to an API client: %s', (accept) => {
    expect(asks({ accept })).toBe(false);
  });

  it('gives no page without Accept', () => {
    expect(asks({})).toBe(false);
  });

  it.each(['POST', 'PUT', 'HEAD', 'OPTIONS', 'DELETE'])('does not count %s as navigation', (method) => {
    expect(asks({ 'sec-fetch-mode': 'navigate', accept: BROWSER }, method)).toBe(false);
  });
});
