import { describe, expect, it } from 'vitest';
import { Affinity } from '../../../src/dispatch/affinity.ts';

const TIE = { instanceId: 'web-2', sessionId: 'AbC-_123' };
const affinity = new Affinity(Buffer.alloc(32, 1));

/** What a browser sends back. */
function pairOf(setCookie: string): string {
  return setCookie.split(';')[0]!;
}

describe('Affinity', () => {
  const cookie = pairOf(affinity.issue('web', TIE));

  it('reads the instance from the cookie that it issued', () => {
    expect(affinity.read('web', cookie)).toEqual(TIE);
  });

  it('reads it after a restart with the same secret', () => {
    expect(new Affinity(Buffer.alloc(32, 1)).read('web', cookie)).toEqual(TIE);
  });

  it('finds it among other cookies', () => {
    expect(affinity.read('web', `theme=dark;${cookie};  lang=en`)).toEqual(TIE);
    expect(affinity.read('web', `theme=dark; ${cookie}`)).toEqual(TIE);
  });

  it('issues a cookie of the session that scripts cannot read and that TLS protects', () => {
    const attributes = affinity.issue('web', TIE).split('; ').slice(1);
    expect(attributes).toEqual(['Path=/', 'HttpOnly', 'Secure', 'SameSite=Lax']);
  });

  it.each([
    ['no cookie at all', undefined],
    ['an empty field', ''],
    ['cookies of others', 'theme=dark'],
    ['a value without a signature', 'reveille_instance_web=web-2.AbC-_123'],
    ['a value without a session', cookie.replace('.AbC-_123', '')],
    ['another session under the same signature', cookie.replace('AbC', 'XyZ')],
    ['an empty value', 'reveille_instance_web='],
    ['a signature without an instance', `reveille_instance_web=.AbC-_123.${cookie.split('.')[2]}`],
    ['another instance under the same signature', cookie.replace('web-2', 'web-1')],
    ['a signature cut short', cookie.slice(0, -1)],
    ['a longer signature', `${cookie}A`],
    ['a signature with as many characters but more bytes', `${cookie.slice(0, -1)}é`],
    ['a name that merely ends the same', `x${cookie}`],
  ])('reads nothing from %s', (_what, field) => {
    expect(affinity.read('web', field)).toBeUndefined();
  });

  it('does not take the cookie of one service for that of another', () => {
    expect(affinity.read('api', cookie)).toBeUndefined();
    expect(affinity.read('api', cookie.replace('_web=', '_api='))).toBeUndefined();
  });

  it('keeps services apart whose names and instances run together', () => {
    const other = pairOf(affinity.issue('we', { ...TIE, instanceId: 'bweb-2' }));
    expect(affinity.read('web', other.replace('_we=bweb-2', '_web=web-2'))).toBeUndefined();
  });

  it('does not take a cookie that another secret signed', () => {
    expect(new Affinity(Buffer.alloc(32, 2)).read('web', cookie)).toBeUndefined();
  });
});
