import { describe, expect, it } from 'vitest';
import { parseManifest } from '../../../../src/config/manifest/parse-manifest.ts';
import { contextFor, serviceOf } from '../manifest-context.ts';

describe('a manifest', () => {
  it('fills in every default of the contract', () => {
    expect(serviceOf({ image: 'nginx' })).toEqual({
      name: 'web',
      routes: [],
      source: { kind: 'image', image: 'nginx', pull: 'missing' },
      port: 3000,
      publish: [],
      env: {},
      volumes: [],
      labels: {},
      protocol: 'http',
      resources: { cpus: 1, memoryBytes: 512 * 1024 ** 2 },
      readiness: { strategy: { kind: 'auto' } },
      dependsOn: {},
      job: false,
      sleep: { tiers: [{ afterMs: 900_000, strategy: 'stop' }], unless: {} },
      wake: { timeoutMs: 60_000, maxWaiting: 1000, page: 'auto', pageAfterMs: 800 },
      scale: { min: 0, max: 1, cooldownMs: 60_000 },
      balance: 'least-in-flight',
      sticky: false,
      breaker: { failures: 5, openForMs: 30_000 },
      monitor: {
        everyMs: 1000,
        forMs: 3000,
        cpu: { warn: 60, panic: 80 },
        memory: { warn: 80, panic: 95 },
      },
    });
  });

  it('keeps the order of the file and is frozen all the way down', () => {
    const manifest = parseManifest(
      { services: { b: { image: 'b' }, a: { image: 'a', env: { A: '1' } } } },
      contextFor(),
    );
    expect([...manifest.keys()]).toEqual(['b', 'a']);
    expect(Object.isFrozen(manifest.get('a')) && Object.isFrozen(manifest.get('a')?.env)).toBe(true);
  });

  it.each([
    ['app', 'app.example.test'],
    ['App', 'app.example.test'],
    ['@', 'example.test'],
    ['*.preview', '*.preview.example.test'],
    ['*', '*.example.test'],
    ['api.other.org', 'api.other.org'],
    ['API.Other.org.', 'api.other.org'],
    ['*.other.org', '*.other.org'],
    ['bücher.example', 'xn--bcher-kva.example'],
  ])('routes %s as %s', (route, host) => {
    expect(serviceOf({ image: 'x', routes: [route] }).routes).toEqual([{ host, path: '/', port: 3000 }]);
  });

  it.each([
    ['/', '/'],
    ['/api', '/api'],
    ['/api/', '/api'],
    ['/a/b.c/', '/a/b.c'],
    ['/caf%C3%A9', '/caf%C3%A9'],
  ])('routes the path %s as %s', (path, expected) => {
    expect(serviceOf({ image: 'x', routes: [{ host: 'app', path }] }).routes[0]?.path).toBe(expected);
  });

  it('gives a route the port of the service unless it names another', () => {
    const { port, routes } = serviceOf({ image: 'x', port: '7070', routes: ['a', { host: 'b', port: '9090' }] });
    expect([port, ...routes.map((route) => route.port)]).toEqual([7070, 7070, 9090]);
  });

  it('reads a build, relative to the manifest', () => {
    const { source } = serviceOf({ build: { context: 'apps', dockerfile: 'web/Dockerfile', args: { N: 1 } } });
    const expected = { kind: 'build', context: '/srv/site/apps', dockerfile: 'web/Dockerfile', args: { N: '1' } };
    expect(source).toEqual(expected);
    expect(serviceOf({ build: { context: '.', target: 'prod' } }).source).toMatchObject({
      dockerfile: 'Dockerfile',
      target: 'prod',
    });
  });

  it('reads one upstream URL or several', () => {
    expect(serviceOf({ url: 'http://10.0.0.5:8080/' }).source).toEqual({ kind: 'url', urls: ['http://10.0.0.5:8080'] });
    expect(serviceOf({ url: ['http://a.test', 'http://[::1]:81'], sleep: false }).source).toEqual({
      kind: 'url',
      urls: ['http://a.test', 'http://[::1]:81'],
    });
  });

  it('takes a service that has nothing but a process', () => {
    const { source, process } = serviceOf({ process: { command: 'node .', cwd: 'apps' } });
    expect([source, process]).toEqual([
      { kind: 'process' },
      { command: ['/bin/sh', '-c', 'node .'], cwd: '/srv/site/apps' },
    ]);
    expect(serviceOf({ process: { command: ['node', '.'] } }).process).toEqual({
      command: ['node', '.'],
      cwd: '/srv/site',
    });
  });

  it('reads a command as Docker does', () => {
    expect(serviceOf({ image: 'x', command: 'echo a b' }).command).toEqual(['/bin/sh', '-c', 'echo a b']);
    expect(serviceOf({ image: 'x', command: ['echo', 'a b'] }).command).toEqual(['echo', 'a b']);
  });

  it('turns numbers and booleans of env and labels into text', () => {
    const { env, labels } = serviceOf({ image: 'x', env: { N: 1, B: true, S: '' }, labels: { 'a.b': 2 } });
    expect([env, labels]).toEqual([{ N: '1', B: 'true', S: '' }, { 'a.b': '2' }]);
  });

  it.each([
    ['data:/data/db', { kind: 'volume', source: 'data', target: '/data/db', readOnly: false }],
    ['./src:/app:ro', { kind: 'bind', source: '/srv/site/src', target: '/app', readOnly: true }],
    ['apps/web:/app/:rw', { kind: 'bind', source: '/srv/site/apps/web', target: '/app', readOnly: false }],
    ['/opt/x:/app', { kind: 'bind', source: '/opt/x', target: '/app', readOnly: false }],
    ['.:/app', { kind: 'bind', source: '/srv/site', target: '/app', readOnly: false }],
  ])('mounts %s', (volume, expected) => {
    expect(serviceOf({ image: 'x', volumes: [volume] }).volumes).toEqual([expected]);
  });

  it.each([
    ['127.0.0.1:27017:27017', { hostIp: '127.0.0.1', hostPort: 27017, containerPort: 27017, protocol: 'tcp' }],
    ['8888:3000', { hostIp: '0.0.0.0', hostPort: 8888, containerPort: 3000, protocol: 'tcp' }],
    ['[::1]:53:53/udp', { hostIp: '::1', hostPort: 53, containerPort: 53, protocol: 'udp' }],
  ])('publishes %s', (publish, expected) => {
    expect(serviceOf({ image: 'x', publish: [publish] }).publish).toEqual([expected]);
  });

  it.each([
    [{ http: '/ping' }, { strategy: { kind: 'http', path: '/ping' } }],
    [{ exec: ['true'] }, { strategy: { kind: 'exec', command: ['true'] } }],
    [{ docker: true }, { strategy: { kind: 'docker' } }],
    [
      { tcp: true, interval: '50ms', retries: 9 },
      { strategy: { kind: 'tcp' }, intervalMs: 50, retries: 9 },
    ],
    [{ interval: '1s' }, { strategy: { kind: 'auto' }, intervalMs: 1000 }],
  ])('is ready by %o', (readiness, expected) => {
    expect(serviceOf({ image: 'x', readiness }).readiness).toEqual(expected);
  });

  it('makes one list of nested tiers of sleep', () => {
    const then = { after: '1h', strategy: 'stop', then: { after: '7d', strategy: 'remove' } };
    const sleep = { after: '5m', strategy: 'pause', then, unless: { cpuAbove: 5, probe: '/busy' } };
    expect(serviceOf({ image: 'x', sleep }).sleep).toEqual({
      tiers: [
        { afterMs: 300_000, strategy: 'pause' },
        { afterMs: 3_600_000, strategy: 'stop' },
        { afterMs: 604_800_000, strategy: 'remove' },
      ],
      unless: { cpuAbove: 5, probe: '/busy' },
    });
    expect(serviceOf({ image: 'x', sleep: false }).sleep).toBe(false);
  });

  it('reads wake, scale, breaker, monitor, resources', () => {
    const spec = serviceOf({
      image: 'x',
      wake: { timeout: '2m', maxWaiting: 5, page: false, pageAfter: '0s' },
      scale: { min: 2, cpu: 70, inFlight: 50, cooldown: '10s' },
      breaker: { failures: 3, openFor: '1m' },
      monitor: { every: '2s', for: '10s', cpu: { warn: 50 } },
      resources: { cpus: 0.5, memory: '1g' },
    });
    expect(spec).toMatchObject({
      wake: { timeoutMs: 120_000, maxWaiting: 5, page: false, pageAfterMs: 0 },
      scale: { min: 2, max: 2, cpu: 70, inFlight: 50, cooldownMs: 10_000 },
      breaker: { failures: 3, openForMs: 60_000 },
      monitor: { everyMs: 2000, forMs: 10_000, cpu: { warn: 50, panic: 80 }, memory: { warn: 80, panic: 95 } },
      resources: { cpus: 0.5, memoryBytes: 1024 ** 3 },
    });
  });

  it('waits for a dependency to be ready, and for a job to be completed, unless told otherwise', () => {
    const db = { image: 'db' };
    const migrate = { image: 'm', job: true, dependsOn: { db: 'started' } };
    const web = { image: 'w', dependsOn: ['db', 'migrate'] };
    const manifest = parseManifest({ services: { web, migrate, db } }, contextFor());
    expect(manifest.get('web')?.dependsOn).toEqual({ db: 'ready', migrate: 'completed' });
    expect(manifest.get('migrate')?.dependsOn).toEqual({ db: 'started' });
  });

  it('takes undefined for a field that is not there', () => {
    expect(serviceOf({ image: 'x', port: undefined, scale: undefined, build: undefined }).port).toBe(3000);
  });
});
