import { mkdtempSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { problemsOf } from '../manifest-context.ts';

const image = 'nginx';

/** What is written, the field that must be named, and words that the message must hold. */
const SERVICES: [web: unknown, field: string, words: string][] = [
  [null, '', 'must be an object'],
  [[], '', 'must be an object'],
  ['nginx', '', 'must be an object'],
  [{}, '', "needs one of 'image', 'build' and 'url'"],
  [{ image, build: { context: '.' } }, '.build', "beside 'image'"],
  [{ image, url: 'http://a.test' }, '.url', "beside 'image'"],
  [{ build: { context: '.' }, pull: 'always' }, '.pull', "needs 'image'"],
  [{ image: '' }, '.image', 'name of an image'],
  [{ image: 'a b' }, '.image', 'name of an image'],
  [{ image, pull: 'sometimes' }, '.pull', "one of 'missing'"],

  [{ image, prot: 1 }, '.prot', 'did you mean "port"?'],
  [{ image, Routes: [] }, '.Routes', 'did you mean "routes"?'],
  [{ image, depends_on: [] }, '.depends_on', 'did you mean "dependsOn"?'],
  [{ image, environment: {} }, '.environment', 'did you mean "env"?'],
  [{ image, ports: ['80:80'] }, '.ports', '"publish"'],
  [{ image, memory: '1g' }, '.memory', '"resources.memory"'],
  [{ image, somethingElse: 1 }, '.somethingElse', 'known are routes'],
  [{ image, privileged: true }, '.privileged', 'rights over the host'],
  [{ image, network: 'host' }, '.network', 'never on the network of the host'],
  [{ image, networkMode: 'host' }, '.networkMode', 'never on the network of the host'],
  [{ image, network_mode: 'host' }, '.network_mode', 'never on the network of the host'],
  [{ image, capAdd: ['SYS_ADMIN'] }, '.capAdd', 'rights over the host'],
  [{ image, devices: [] }, '.devices', 'rights over the host'],
  [{ image, pid: 'host' }, '.pid', 'rights over the host'],
  [{ build: { context: '.', privileged: true } }, '.build.privileged', 'rights over the host'],
  [{ image, scale: { minimum: 1 } }, '.scale.minimum', 'known are min'],
  [{ image, wake: { timeOut: '1s' } }, '.wake.timeOut', 'did you mean "timeout"?'],

  [{ image, port: 0 }, '.port', 'from 1 to 65535'],
  [{ image, port: 70_000 }, '.port', 'from 1 to 65535'],
  [{ image, port: '70000' }, '.port', 'from 1 to 65535'],
  [{ image, port: 80.5 }, '.port', 'from 1 to 65535'],
  [{ image, port: -1 }, '.port', 'from 1 to 65535'],
  [{ image, port: '' }, '.port', 'from 1 to 65535'],
  [{ image, port: ' 80' }, '.port', 'from 1 to 65535'],
  [{ image, port: null }, '.port', 'from 1 to 65535'],

  [{ image, routes: 'app' }, '.routes', 'must be a list'],
  [{ image, routes: [undefined] }, '.routes[0]', 'misspelled'],
  [{ image, routes: ['ok', 'not a host'] }, '.routes[1]', 'is not a host name'],
  [{ image, routes: ['-a'] }, '.routes[0]', 'is not a host name'],
  [{ image, routes: ['a_b'] }, '.routes[0]', 'is not a host name'],
  [{ image, routes: ['a..b'] }, '.routes[0]', 'is not a host name'],
  [{ image, routes: ['x'.repeat(64)] }, '.routes[0]', 'is not a host name'],
  [{ image, routes: ['app:3000'] }, '.routes[0]', 'without a port'],
  [{ image, routes: ['http://app'] }, '.routes[0]', 'without a scheme'],
  [{ image, routes: ['*.*.preview'] }, '.routes[0]', "one '*'"],
  [{ image, routes: ['a.*.preview'] }, '.routes[0]', "one '*'"],
  [{ image, routes: ['*a.preview'] }, '.routes[0]', "one '*'"],
  [{ image, routes: [{ path: '/' }] }, '.routes[0].host', 'misspelled'],
  [{ image, routes: ['a', { host: 'b', path: 'api' }] }, '.routes[1].path', "starts with '/'"],
  [{ image, routes: [{ host: 'b', path: '/a/../b' }] }, '.routes[0].path', "'..'"],
  [{ image, routes: [{ host: 'b', path: '//a' }] }, '.routes[0].path', "'//'"],
  [{ image, routes: [{ host: 'b', path: '/a%2e%2e' }] }, '.routes[0].path', 'encoded'],
  [{ image, routes: [{ host: 'b', path: '/a?b' }] }, '.routes[0].path', 'without query'],
  [{ image, routes: [{ host: 'b', port: 0 }] }, '.routes[0].port', 'from 1 to 65535'],
  [{ image, routes: [{ host: 'b', prt: 1 }] }, '.routes[0].prt', 'did you mean "port"?'],
  [{ image, routes: ['a', 'a'] }, '.routes[1]', 'duplicate route'],
  [{ image, routes: ['a', { host: 'a.example.test', path: '/' }] }, '.routes[1]', 'duplicate route'],
  [{ image, routes: ['proxy'] }, '.routes[0]', 'dashboard'],

  [{ build: {} }, '.build.context', 'path of a folder'],
  [{ build: 'apps' }, '.build', 'must be an object'],
  [{ build: { context: '../../etc' } }, '.build.context', "out of the manifest's folder"],
  [{ build: { context: '.', dockerfile: '../Dockerfile' } }, '.build.dockerfile', 'inside the build context'],
  [{ build: { context: '.', dockerfile: '/etc/passwd' } }, '.build.dockerfile', 'inside the build context'],
  [{ build: { context: '.', args: { A: undefined } } }, '.build.args.A', 'is undefined'],

  [{ image, publish: ['3000'] }, '.publish[0]', 'hostPort:containerPort'],
  [{ image, publish: ['0:3000'] }, '.publish[0]', 'ports from 1 to 65535'],
  [{ image, publish: ['80:70000'] }, '.publish[0]', 'ports from 1 to 65535'],
  [{ image, publish: ['nohost:80:80'] }, '.publish[0]', 'IP address'],
  [{ image, publish: ['1-5:1-5'] }, '.publish[0]', 'hostPort:containerPort'],
  [{ image, publish: ['81:80', '127.0.0.1:81:90'] }, '.publish[1]', 'takes port 81'],
  [{ image, publish: ['81:80'], scale: { max: 2 } }, '.publish', 'scale.max 2'],
  [{ image, protocol: 'https' }, '.protocol', "one of 'http', 'h2c'"],

  [{ image, volumes: ['/var/run/docker.sock:/var/run/docker.sock'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/run/docker.sock:/x:ro'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/var/run:/x'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/run:/x'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/:/host'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/opt/../run/./docker.sock:/x'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/proc/self/root/run:/x'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['/home/u/.docker/run/docker.sock:/x'] }, '.volumes[0]', 'Docker socket'],
  [{ image, volumes: ['../../etc:/x'] }, '.volumes[0]', "out of the manifest's folder"],
  [{ image, volumes: ['./a/../../../etc:/x'] }, '.volumes[0]', "out of the manifest's folder"],
  [{ image, volumes: ['data:/a/../../etc'] }, '.volumes[0]', "'..'"],
  [{ image, volumes: ['data:relative'] }, '.volumes[0]', 'absolute path of the container'],
  [{ image, volumes: ['data:/'] }, '.volumes[0]', "over '/'"],
  [{ image, volumes: ['/data'] }, '.volumes[0]', 'source:/path/in/container'],
  [{ image, volumes: ['~:/data'] }, '.volumes[0]', 'name of a volume or a path'],
  [{ image, volumes: ['data:/data:rx'] }, '.volumes[0]', "':ro'"],
  [{ image, volumes: ['a:/data', 'b:/data/'] }, '.volumes[1]', 'mounts over /data'],
  [{ image, volumes: [7] }, '.volumes[0]', 'source:/path/in/container'],

  [{ image, env: { A: undefined } }, '.env.A', 'is undefined'],
  [{ image, env: { A: {} } }, '.env.A', 'must be text, a number or a boolean'],
  [{ image, env: { A: null } }, '.env.A', 'must be text, a number or a boolean'],
  [{ image, env: { 'A=B': '1' } }, '.env.A=B', 'name of an environment variable'],
  [{ image, env: JSON.parse('{"__proto__":"1"}') as unknown }, '.env.__proto__', 'name of an environment variable'],
  [{ image, env: ['A=1'] }, '.env', 'object of names and values'],
  [{ image, envFile: 'absent.env' }, '.envFile', 'cannot be read'],
  [{ image, envFile: ['absent.env'] }, '.envFile[0]', 'cannot be read'],
  [{ image, envFile: '../../etc/passwd' }, '.envFile', "out of the manifest's folder"],
  [{ image, labels: { 'dev.reveille.managed': 'x' } }, '.labels.dev.reveille.managed', 'knows its own'],
  [{ image, user: '' }, '.user', 'text that is not empty'],
  [{ image, command: '' }, '.command', 'text that is not empty'],
  [{ image, command: [] }, '.command', 'must not be empty'],
  [{ image, command: ['a', 1] }, '.command[1]', 'text that is not empty'],
  [{ process: {} }, '.process.command', 'must be a list'],
  [{ process: { command: 'x', cwd: '..' } }, '.process.cwd', "out of the manifest's folder"],

  [{ image, resources: { cpus: 0 } }, '.resources.cpus', 'number of cores'],
  [{ image, resources: { cpus: '1' } }, '.resources.cpus', 'number of cores'],
  [{ image, resources: { memory: 'lots' } }, '.resources.memory', 'must be a size'],
  [{ image, resources: { memory: 512 } }, '.resources.memory', "at least '6m'"],
  [{ image, readiness: { http: 'ping' } }, '.readiness.http', "starts with '/'"],
  [{ image, readiness: { http: '/', tcp: true } }, '.readiness', 'must name one of'],
  [{ image, readiness: { docker: false } }, '.readiness.docker', 'must be true'],
  [{ image, readiness: { exec: [] } }, '.readiness.exec', 'must not be empty'],
  [{ image, readiness: { tcp: true, interval: 10 } }, '.readiness.interval', 'duration with its unit'],
  [{ image, readiness: { tcp: true, retries: 0 } }, '.readiness.retries', 'whole number'],

  [{ image, dependsOn: ['nobody'] }, '.dependsOn', 'which is no service'],
  [{ image, dependsOn: { nobody: 'ready' } }, '.dependsOn', 'which is no service'],
  [{ image, dependsOn: ['web'] }, '.dependsOn', 'web -> web'],
  [{ image, dependsOn: { web: 'done' } }, '.dependsOn.web', "one of 'ready'"],
  [{ image, dependsOn: 'db' }, '.dependsOn', 'list of services'],
  [{ image, job: 'yes' }, '.job', 'true or false'],
  [{ image, job: true, routes: ['a'] }, '.job', 'cannot have routes'],
  [{ image, job: true, scale: { min: 1 } }, '.scale.min', 'must be 0 for a job'],

  [{ image, sleep: true }, '.sleep', 'must be false or an object'],
  [{ image, sleep: '15m' }, '.sleep', 'must be false or an object'],
  [{ image, sleep: { after: 900 } }, '.sleep.after', 'duration with its unit'],
  [{ image, sleep: { after: '0s' } }, '.sleep.after', 'longer than zero'],
  [{ image, sleep: { strategy: 'kill' } }, '.sleep.strategy', "one of 'stop'"],
  [{ image, sleep: { then: { strategy: 'remove' } } }, '.sleep.then.after', 'duration with its unit'],
  [{ image, sleep: { then: { after: '1h', strategy: 'pause' } } }, '.sleep.then.strategy', "deeper than 'stop'"],
  [{ image, sleep: { unless: { cpuAbove: 101 } } }, '.sleep.unless.cpuAbove', 'at most 100'],
  [{ image, sleep: { unless: { probe: 'x' } } }, '.sleep.unless.probe', "starts with '/'"],
  [{ image, wake: { timeout: '0s' } }, '.wake.timeout', 'longer than zero'],
  [{ image, wake: { maxWaiting: 0 } }, '.wake.maxWaiting', 'whole number'],
  [{ image, wake: { page: true } }, '.wake.page', "'auto'"],
  [{ image, scale: { min: 3, max: 2 } }, '.scale.min', 'at most max, which is 2'],
  [{ image, scale: { min: -1 } }, '.scale.min', 'whole number'],
  [{ image, scale: { max: 0 } }, '.scale.max', 'whole number'],
  [{ image, scale: { cpu: 0 } }, '.scale.cpu', 'above 0'],
  [{ image, balance: 'fair' }, '.balance', "one of 'least-in-flight'"],
  [{ image, sticky: 1 }, '.sticky', 'true or false'],
  [{ image, breaker: { failures: 0 } }, '.breaker.failures', 'whole number'],
  [{ image, breaker: { openFor: '1' } }, '.breaker.openFor', 'duration with its unit'],
  [{ image, monitor: { cpu: { warn: 80, panic: 80 } } }, '.monitor.cpu.warn', 'below panic, which is 80'],
  [{ image, monitor: { memory: { warn: 96 } } }, '.monitor.memory.warn', 'below panic, which is 95'],
  [{ image, monitor: { every: '1 second' } }, '.monitor.every', 'duration with its unit'],

  [{ url: 'ftp://a.test' }, '.url', 'https:// URL'],
  [{ url: 'https://a.test', protocol: 'h2c' }, '.protocol', 'without TLS'],
  [{ url: 'a.test:80' }, '.url', 'https:// URL'],
  [{ url: [] }, '.url', 'must not be empty'],
  [{ url: ['http://a.test', 'http://a.test/path'] }, '.url[1]', 'without path'],
  [{ url: 'http://u:p@a.test' }, '.url', 'credentials'],
  [{ url: 'http://a.test:0' }, '.url', 'from 1 to 65535'],
  [{ url: 'http://a.test', readiness: { exec: ['x'] } }, '.readiness.exec', "beside 'url'"],
  [{ url: 'http://a.test', readiness: { docker: true } }, '.readiness.docker', "beside 'url'"],
  [{ url: 'http://a.test', routes: [{ host: 'a', port: 1 }] }, '.routes[0].port', "beside 'url'"],
  [{ url: 'http://a.test', sleep: { after: '1m' } }, '.sleep', "beside 'url'"],
  ...['publish', 'volumes'].map((field): [unknown, string, string] => [
    { url: 'http://a.test', [field]: [] },
    `.${field}`,
    "beside 'url'",
  ]),
  ...['env', 'labels', 'resources', 'wake', 'scale', 'monitor', 'dependsOn'].map((field): [unknown, string, string] => [
    { url: 'http://a.test', [field]: {} },
    `.${field}`,
    "beside 'url'",
  ]),
  [{ url: 'http://a.test', port: 80 }, '.port', "beside 'url'"],
  [{ url: 'http://a.test', command: 'x' }, '.command', "beside 'url'"],
  [{ url: 'http://a.test', user: 'x' }, '.user', "beside 'url'"],
  [{ url: 'http://a.test', job: true }, '.job', "beside 'url'"],
  [{ url: 'http://a.test', process: { command: 'x' } }, '.process', "beside 'url'"],
];

describe('a service is refused', () => {
  it.each(SERVICES)('%j: services.web%s %s', (web, field, words) => {
    const problems = problemsOf({ services: { web } });
    expect(problems.map((problem) => problem.field)).toContain(`services.web${field}`);
    const messages = problems
      .filter((problem) => problem.field === `services.web${field}`)
      .map(({ message }) => message);
    expect(messages.join('\n')).toContain(words);
    expect(problems).toHaveLength(1);
  });

  it.each(['Web', 'a_b', 'a.b', '-a', 'a-', '', 'x'.repeat(41), 'constructor', 'proxy', 'a/b', '../a'])(
    'when its name is "%s"',
    (name) => {
      expect(problemsOf({ services: { [name]: { image } } }).map(({ field }) => field)).toEqual([`services.${name}`]);
    },
  );

  it('when its name is __proto__', () => {
    const manifest = JSON.parse('{"services":{"__proto__":{"image":"x"}}}') as unknown;
    expect(problemsOf(manifest).map(({ field }) => field)).toEqual(['services.__proto__']);
  });

  it('when a field is named __proto__', () => {
    const manifest = JSON.parse('{"services":{"web":{"image":"x","__proto__":{"privileged":true}}}}') as unknown;
    expect(problemsOf(manifest).map(({ field }) => field)).toEqual(['services.web.__proto__']);
  });

  it('when a symbolic link leads to the Docker socket', () => {
    const baseDir = mkdtempSync(join(tmpdir(), 'reveille-volumes-'));
    symlinkSync('/run', join(baseDir, 'innocent'));
    for (const volume of ['./innocent:/x', './innocent/docker.sock:/x', `${baseDir}/innocent:/x`]) {
      expect(problemsOf({ services: { web: { image, volumes: [volume] } } }, { baseDir })[0]?.message).toContain(
        'Docker socket',
      );
    }
  });

  it('when it mounts the socket of the engine in use', () => {
    const env = { DOCKER_HOST: 'unix:///srv/engine/own.sock' };
    const manifest = { services: { web: { image, volumes: ['/srv/engine:/x'] } } };
    expect(problemsOf(manifest)).toEqual([]);
    expect(problemsOf(manifest, { env })[0]?.field).toBe('services.web.volumes[0]');
  });
});

describe('a manifest is refused', () => {
  it.each([undefined, null, 7, 'x', [], () => ({})])('when it is %o', (manifest) => {
    expect(problemsOf(manifest).map(({ field }) => field)).toEqual(['manifest']);
  });

  it('when it has no services, or fields that nobody knows', () => {
    expect(problemsOf({ service: {} })).toEqual([
      { field: 'service', message: 'is not a field; did you mean "services"?' },
      { field: 'services', message: 'must be an object of services by their names' },
    ]);
  });

  it('when two services have one route, naming both', () => {
    const services = { a: { image, routes: ['x'] }, b: { image, routes: ['y', 'x.example.test'] } };
    expect(problemsOf({ services })).toEqual([
      {
        field: 'services.b.routes[1]',
        message: 'is a duplicate route: x.example.test/ is already services.a.routes[0]',
      },
    ]);
  });

  it('when two services take one port of the host', () => {
    const services = { a: { image, publish: ['127.0.0.1:81:80'] }, b: { image, publish: ['81:80'] } };
    expect(problemsOf({ services }).map(({ field }) => field)).toEqual(['services.b.publish[0]']);
    const apart = {
      a: { image, publish: ['127.0.0.1:81:80'] },
      b: { image, publish: ['127.0.0.2:81:80', '81:80/udp'] },
    };
    expect(problemsOf({ services: apart })).toEqual([]);
  });

  it('when dependencies go round, naming the circle once', () => {
    const services = {
      a: { image, dependsOn: ['b'] },
      b: { image, dependsOn: ['c'] },
      c: { image, dependsOn: ['b'] },
    };
    expect(problemsOf({ services })).toEqual([
      { field: 'services.b.dependsOn', message: 'goes round in a circle: b -> c -> b' },
    ]);
  });

  it('when a dependency is misspelled or can never meet its condition', () => {
    const services = {
      database: { image },
      migrate: { image, job: true },
      a: { image, dependsOn: ['databse'] },
      b: { image, dependsOn: { database: 'completed' } },
      c: { image, dependsOn: { migrate: 'ready' } },
    };
    const problems = problemsOf({ services });
    expect(problems.map(({ field }) => field)).toEqual(['a', 'b', 'c'].map((name) => `services.${name}.dependsOn`));
    expect(problems[0]?.message).toContain('did you mean "database"?');
  });

  it('when a dependency is misspelled in a service that has other problems too', () => {
    const services = { database: { image }, a: { image, port: 0, dependsOn: ['databse'] } };
    const problems = problemsOf({ services });
    expect(problems.map(({ field }) => field)).toEqual(['services.a.port', 'services.a.dependsOn']);
  });

  it('with every problem of every service at once', () => {
    const services = {
      a: { image, prt: 1, port: 0, scale: { min: 2, max: 1 }, volumes: ['/run:/x'] },
      b: { routes: [{ host: 'x', path: 'y' }], privileged: true },
    };
    expect(
      problemsOf({ services })
        .map(({ field }) => field)
        .sort(),
    ).toEqual([
      'services.a.port',
      'services.a.prt',
      'services.a.scale.min',
      'services.a.volumes[0]',
      'services.b',
      'services.b.privileged',
      'services.b.routes[0].path',
    ]);
  });

  it('but a broken service does not make others that depend on it wrong', () => {
    const services = { a: { image, port: 0 }, b: { image, dependsOn: ['a'] } };
    expect(problemsOf({ services }).map(({ field }) => field)).toEqual(['services.a.port']);
  });
});
