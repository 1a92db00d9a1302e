import { describe, expect, it } from 'vitest';
import type { ClientExchange } from '../../../../src/proxy/exchange/client-exchange.ts';
import type { RequestFacts } from '../../../../src/proxy/exchange/request-facts.ts';
import { forwardedFields } from '../../../../src/proxy/forward/forwarded-fields.ts';
import { ForwardedLines } from '../../../../src/proxy/forward/forwarded-lines.ts';
import { fieldLines } from '../../../../src/proxy/exchange/field-list.ts';
import { viaOf } from '../../../../src/proxy/forward/via.ts';
import { RecordedExchange } from '../../../support/fakes/recorded-exchange.ts';

type Origin = Partial<Pick<RequestFacts, 'remoteAddress' | 'authority' | 'secure'>> &
  Partial<Pick<ClientExchange, 'httpVersion'>>;

const UNTRUSTED = { trusted: false, via: viaOf('test') };
const TRUSTED = { ...UNTRUSTED, trusted: true };

function exchangeFrom(origin: Origin, headers: Record<string, string> = {}): RecordedExchange {
  return Object.assign(new RecordedExchange({ headers }), origin);
}

describe('ForwardedLines', () => {
  it('say of every request what holds for it, however clients, hosts, schemes and versions take turns', () => {
    const lines = new ForwardedLines();
    const origins = ['192.0.2.1', '192.0.2.2', '2001:db8::1'].flatMap((remoteAddress) =>
      ['app.test', 'app.test:8443', 'api.test'].flatMap((authority) =>
        [true, false].flatMap((secure) =>
          (['1.0', '1.1'] as const).map((httpVersion) => ({ remoteAddress, authority, secure, httpVersion })),
        ),
      ),
    );
    for (const origin of [...origins, ...origins.reverse(), ...origins]) {
      const exchange = exchangeFrom(origin);
      const { httpVersion } = origin;
      const expected = `${fieldLines(forwardedFields(exchange, false))}Via: ${httpVersion} test\r\n`;
      expect(lines.of(exchange, UNTRUSTED)).toBe(expected);
      expect(lines.of(exchange, UNTRUSTED)).toBe(expected);
    }
  });

  it('keep nothing of the word of a trusted peer', () => {
    const lines = new ForwardedLines();
    const origin = { remoteAddress: '192.0.2.1', authority: 'app.test', secure: true };
    const said = (client: string): string => lines.of(exchangeFrom(origin, { 'x-forwarded-for': client }), TRUSTED);
    expect(said('198.51.100.1')).toContain('X-Forwarded-For: 198.51.100.1, 192.0.2.1\r\n');
    expect(said('198.51.100.2')).toContain('X-Forwarded-For: 198.51.100.2, 192.0.2.1\r\n');
    const untrusted = lines.of(exchangeFrom(origin, { 'x-forwarded-for': '198.51.100.3' }), UNTRUSTED);
    expect(untrusted).toContain('X-Forwarded-For: 192.0.2.1\r\n');
  });

  it('are still right after more clients than are remembered', () => {
    const lines = new ForwardedLines();
    for (let client = 0; client < 2_500; client += 1) {
      const remoteAddress = `10.0.${client >> 8}.${client & 255}`;
      expect(lines.of(exchangeFrom({ remoteAddress }), UNTRUSTED)).toContain(`X-Real-IP: ${remoteAddress}\r\n`);
    }
  });
});
