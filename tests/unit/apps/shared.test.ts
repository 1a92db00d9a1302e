import { describe, expect, it } from 'vitest';
import { parseTarget } from '../../../apps/shared/http-server.js';
import { identifyInstance } from '../../../apps/shared/instance.js';
import { localhostLookup } from '../../../apps/shared/localhost-lookup.js';
import { OriginPolicy } from '../../../apps/shared/origin-policy.js';
import { PublicAddress } from '../../../apps/shared/public-address.js';
import { QueryReader } from '../../../apps/shared/query-reader.js';
import { Router } from '../../../apps/shared/router.js';

const problem = (status: number, code: string) => expect.objectContaining({ status, code }) as Error;

describe('Router', () => {
  const router = new Router();
  const handler = (): void => undefined;
  router.on('GET', '/api/notes/:id', handler).on('GET POST', '/api/notes', handler);

  it('finds a handler with its parameters, and serves HEAD by GET', () => {
    expect(router.find('GET', '/api/notes/a%20b').params).toEqual({ id: 'a b' });
    expect(router.find('HEAD', '/api/notes').handler).toBe(handler);
  });

  it.each(['/', '/api', '/api/notes/', '/api/notes/1/2', '/API/notes'])('answers 404 for %s', (path) => {
    expect(() => router.find('GET', path)).toThrow(problem(404, 'not_found'));
  });

  it('answers 405 with the methods that are known', () => {
    const allow = { headers: { allow: 'GET, POST, HEAD' } };
    expect(() => router.find('DELETE', '/api/notes')).toThrow(expect.objectContaining(allow) as Error);
  });

  it('answers 400 for a broken escape', () => {
    expect(() => router.find('GET', '/api/notes/%zz')).toThrow(problem(400, 'bad_path'));
  });
});

describe('parseTarget', () => {
  it('never takes the host from the path', () => {
    expect(parseTarget('//evil.example/x?y=1').host).toBe('service');
  });

  it.each(['*', 'http://evil.example/', ''])('refuses %j', (target) => {
    expect(() => parseTarget(target)).toThrow(problem(400, 'bad_target'));
  });
});

describe('QueryReader', () => {
  it('tells every mistake at once, each with its parameter', () => {
    const query = new QueryReader(new URLSearchParams('a=11&b=1.5&c=1&c=2&d=&intensty=1'));
    const bounds = { fallback: 5, min: 1, max: 10 };
    for (const name of ['a', 'b', 'c', 'd']) query.integer(name, bounds);
    const errors = ['a', 'b', 'c', 'd', 'intensty'].map(
      (parameter) => expect.objectContaining({ parameter }) as object,
    );
    expect(() => query.finish()).toThrow(expect.objectContaining({ status: 400, members: { errors } }) as Error);
  });

  it.each(['0x10', '-1', '1e3', ' 1', '9999999999', 'NaN'])('does not take %j for a number', (text) => {
    const query = new QueryReader(new URLSearchParams({ n: text }));
    query.integer('n', { fallback: 0, min: 0, max: 1e12 });
    expect(() => query.finish()).toThrow(problem(400, 'bad_parameter'));
  });
});

describe('OriginPolicy', () => {
  const policy = new OriginPolicy('alkimia.localhost');

  it.each([
    'https://app.alkimia.localhost:8443',
    'https://alkimia.localhost',
    'http://localhost:8888',
    'http://127.0.0.1:3000',
  ])('allows %s', (origin) => expect(policy.allows(origin)).toBe(true));

  it.each([
    undefined,
    '',
    'null',
    'https://evil.example',
    'https://evilalkimia.localhost',
    'file://localhost',
    'https://alkimia.localhost.evil.example',
  ])('refuses %s', (origin) => expect(policy.allows(origin)).toBe(false));

  it('allows only this machine when there is no domain', () => {
    expect(new OriginPolicy('').allows('https://a.example')).toBe(false);
  });
});

describe('PublicAddress', () => {
  it('names the port only where it is not the usual one', () => {
    const at = (port: string) => new PublicAddress({ DOMAIN: 'x.test', REVEILLE_HTTPS_PORT: port }).origin('server');
    expect(at('8443')).toBe('https://server.x.test:8443');
    expect(at('443')).toBe('https://server.x.test');
  });

  it('believes the daemon before the manifest', () => {
    expect(new PublicAddress({ DOMAIN: 'a.test', REVEILLE_DOMAIN: 'b.test' }).host('app')).toBe('app.b.test');
  });
});

describe('identifyInstance', () => {
  it('takes the name from the daemon, then from the container', () => {
    expect(identifyInstance({ REVEILLE_INSTANCE: 'backend-2', HOSTNAME: 'abc' }, 'backend').name).toBe('backend-2');
    expect(identifyInstance({ HOSTNAME: 'abc' }, 'backend').name).toBe('abc');
  });

  it('keeps out what may not stand in a header', () => {
    expect(identifyInstance({ REVEILLE_INSTANCE: 'a\r\nset-cookie: x' }, 'backend').name).toBe('aset-cookie:x');
    expect(identifyInstance({ REVEILLE_INSTANCE: 'ä' }, 'backend').name).toMatch(/^backend-[0-9a-f]{6}$/);
  });
});

describe('localhostLookup', () => {
  const resolve = (name: string, all: boolean) =>
    new Promise((done, fail) =>
      localhostLookup(name, { all }, (error, address) => (error ? fail(error) : done(address))),
    );

  it('leads names under localhost to this machine', async () => {
    await expect(resolve('server.nowhere.localhost', false)).resolves.toMatch(/^127\.|^::1$/);
    await expect(resolve('server.nowhere.localhost', true)).resolves.toContainEqual({
      address: '127.0.0.1',
      family: 4,
    });
  });

  it('leads no other name anywhere', async () => {
    await expect(resolve('localhost.invalid', false)).rejects.toThrow();
  });
});
