import { describe, expect, it } from 'vitest';
import { covers, developmentNames, namesOf } from '../../../src/tls/certificate-names.ts';
import { mkcertRoot } from '../../../src/tls/mkcert.ts';
import { trustInstructions } from '../../../src/tls/trust-instructions.ts';

describe('developmentNames', () => {
  it('names only hosts that the wildcard does not cover', () => {
    const names = developmentNames(
      'd.test',
      ['app.d.test', 'a.b.d.test', 'd.test', '*.preview.d.test', 'Shop.Example'],
      '10.0.0.1',
    );
    expect(names).toEqual(
      expect.arrayContaining([
        'd.test',
        '*.d.test',
        'a.b.d.test',
        '*.preview.d.test',
        'shop.example',
        'localhost',
        '::1',
        '10.0.0.1',
      ]),
    );
    expect(names).not.toContain('app.d.test');
  });

  it('names every host where the domain has one label, since browsers refuse such a wildcard', () => {
    expect(developmentNames('localhost', ['app.localhost'])).toContain('app.localhost');
  });

  it('ignores a gateway that is no address', () => {
    expect(developmentNames('d.test', [], 'gateway')).not.toContain('gateway');
  });
});

describe('covers', () => {
  it.each([
    ['a.x', true],
    ['x', false],
    ['a.b.x', false],
    ['*.x', true],
    ['*.y', false],
    ['.x', false],
  ])('%s by *.x: %s', (name, expected) => {
    expect(covers(new Set(['*.x']), name)).toBe(expected);
  });
});

describe('namesOf', () => {
  it('reads names and addresses', () => {
    expect([...namesOf('DNS:A.x, DNS:*.x, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1')]).toEqual([
      'a.x',
      '*.x',
      '127.0.0.1',
      '::1',
    ]);
  });
});

describe('mkcertRoot', () => {
  it.each<[NodeJS.ProcessEnv, NodeJS.Platform, string]>([
    [{ CAROOT: '/c' }, 'linux', '/c'],
    [{}, 'linux', '/h/.local/share/mkcert'],
    [{ XDG_DATA_HOME: '/x' }, 'linux', '/x/mkcert'],
    [{}, 'darwin', '/h/Library/Application Support/mkcert'],
  ])('with %j on %s is %s', (env, os, expected) => {
    expect(mkcertRoot(env, os, '/h')).toBe(expected);
  });
});

describe('trustInstructions', () => {
  it.each<[NodeJS.Platform, string]>([
    ['linux', 'update-ca-certificates'],
    ['darwin', 'security add-trusted-cert'],
    ['win32', 'certutil -addstore'],
  ])('knows the system store of %s', (platform, command) => {
    const text = trustInstructions('/s/ca/rootCA.pem', platform);
    expect(text).toContain(command);
    expect(text).toContain('NODE_EXTRA_CA_CERTS=/s/ca/rootCA.pem');
    expect(text).toContain('curl --cacert /s/ca/rootCA.pem');
  });

  it('quotes a path with a space', () => {
    expect(trustInstructions("/a b/c'd.pem", 'linux')).toContain(`'/a b/c'\\''d.pem'`);
  });
});
