import { describe, expect, it } from 'vitest';
import { problemsOf, serviceOf } from '../manifest-context.ts';

describe('a replica set', () => {
  const written = { image: 'mongo:8', port: 27_017, replicaSet: 'rs0' };

  it('is started with a key, on every address of its container, beside what its command says', () => {
    const { command } = serviceOf({ ...written, command: ['mongod', '--quiet'] });
    const own = ['--replSet', 'rs0', '--keyFile', '/etc/reveille/replica-set-key', '--bind_ip_all', '--port', '27017'];
    expect(command).toEqual(['mongod', '--quiet', ...own]);
    expect(serviceOf(written).command).toEqual(['mongod', ...own]);
  });

  it('has the user of the documented URI, unless `env` says otherwise', () => {
    const user = { MONGO_INITDB_ROOT_USERNAME: 'mongoadmin', MONGO_INITDB_ROOT_PASSWORD: 'secret' };
    expect(serviceOf(written).env).toEqual(user);
    const env = { MONGO_INITDB_ROOT_PASSWORD: 'other', TZ: 'UTC' };
    expect(serviceOf({ ...written, env }).env).toEqual({ ...user, ...env });
  });

  it('is ready when its shell says so, which brings it there, and never shows the password in a command line', () => {
    const { readiness } = serviceOf(written);
    expect(readiness.strategy).toMatchObject({ kind: 'exec' });
    const command = readiness.strategy.kind === 'exec' ? readiness.strategy.command : [];
    expect(command.slice(0, 6)).toEqual(['mongosh', '--quiet', '--norc', '--port', '27017', '--eval']);
    expect(command.join(' ')).not.toContain('secret');
  });

  it('leaves every other service as it is', () => {
    expect(serviceOf({ image: 'nginx' })).not.toHaveProperty('replicaSet');
    expect(serviceOf({ image: 'nginx' }).env).toEqual({});
  });

  it.each<[web: unknown, field: string, words: string]>([
    [{ image: 'mongo:8', replicaSet: 'rs 0' }, '.replicaSet', "such as 'rs0'"],
    [{ image: 'mongo:8', replicaSet: "rs'" }, '.replicaSet', "such as 'rs0'"],
    [{ image: 'mongo:8', replicaSet: 'rs0', scale: { max: 3 } }, '.replicaSet', 'one member'],
    [{ image: 'mongo:8', replicaSet: 'rs0', job: true }, '.replicaSet', "beside 'job'"],
    [{ image: 'mongo:8', replicaSet: 'rs0', process: { command: 'mongod' } }, '.replicaSet', "beside 'process'"],
    [{ image: 'mongo:8', replicaSet: 'rs0', readiness: { tcp: true } }, '.replicaSet', "beside 'readiness'"],
    [{ image: 'mongo:8', replicaSet: 'rs0', command: 'mongod --quiet' }, '.command', 'must be a list'],
    [{ image: 'mongo:8', replicaSet: 'rs0', port: 27017, publish: ['27018:27017'] }, '.publish[0]', '27017 as 27017'],
    [{ url: 'http://a.test', replicaSet: 'rs0' }, '.replicaSet', "beside 'url'"],
  ])('is refused as %j', (web, field, words) => {
    const problems = problemsOf({ services: { web } });
    expect(problems.map((problem) => problem.field)).toEqual([`services.web${field}`]);
    expect(problems[0]?.message).toContain(words);
  });
});
