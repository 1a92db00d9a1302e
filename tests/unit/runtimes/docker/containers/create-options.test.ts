import { describe, expect, it } from 'vitest';
import { createOptions, type CreateContext } from '../../../../../src/runtimes/docker/containers/create-options.ts';
import { serviceSpec } from '../../../../support/samples/service-spec.ts';

const CONTEXT: CreateContext = {
  project: 'alkimia.localhost',
  proxyId: 'p1',
  domain: 'alkimia.localhost',
  network: 'alkimia-net',
  networkId: 'n1',
  gateway: '172.18.0.1',
  mode: 'direct',
  init: true,
  index: 2,
  imageId: 'sha256:abc',
  hosts: ['server.alkimia.localhost', 'app.alkimia.localhost', '*.preview.alkimia.localhost'],
  trust: undefined,
  replicaSetKey: undefined,
  environment: {},
};

describe('the container of a service', () => {
  it('is named after project, service and index, and carries the labels of the contract', () => {
    const options = createOptions(serviceSpec({ labels: { mine: 'yes', 'dev.reveille.project': 'stolen' } }), CONTEXT);
    expect(options.name).toBe('alkimia.localhost-web-2');
    expect(options.Labels).toMatchObject({
      mine: 'yes',
      'dev.reveille.managed': 'true',
      'dev.reveille.project': 'alkimia.localhost',
      'dev.reveille.service': 'web',
      'dev.reveille.index': '2',
      'dev.reveille.proxy': 'p1',
    });
    expect(options.Labels?.['dev.reveille.config-hash']).toMatch(/^[0-9a-f]{32}$/);
  });

  it('makes a name that Docker allows of any project', () => {
    expect(createOptions(serviceSpec(), { ...CONTEXT, project: '_my project/ä' }).name).toBe('my-project--web-2');
  });

  it('always has limits, no restarts by Docker, no new privileges and a bounded log', () => {
    const { HostConfig } = createOptions(serviceSpec({ resources: { cpus: 0.5, memoryBytes: 64_000_000 } }), CONTEXT);
    expect(HostConfig).toMatchObject({
      NanoCpus: 5e8,
      Memory: 64_000_000,
      MemorySwap: 64_000_000,
      RestartPolicy: { Name: 'no' },
      SecurityOpt: ['no-new-privileges'],
      Init: true,
      LogConfig: { Type: 'json-file', Config: { 'max-size': '10m', 'max-file': '2' } },
    });
    expect(HostConfig?.PidsLimit).toBeGreaterThan(0);
    expect(HostConfig?.Privileged).toBeUndefined();
  });

  it('reaches the route names at the gateway, wildcards apart', () => {
    const { HostConfig } = createOptions(serviceSpec(), CONTEXT);
    expect(HostConfig?.ExtraHosts).toEqual(['app.alkimia.localhost:172.18.0.1', 'server.alkimia.localhost:172.18.0.1']);
    expect(createOptions(serviceSpec(), { ...CONTEXT, gateway: undefined }).HostConfig?.ExtraHosts).toEqual([]);
  });

  it('answers to its name, and without routes to its name in the domain as well', () => {
    const aliasesOf = (options: ReturnType<typeof createOptions>): unknown =>
      options.NetworkingConfig?.EndpointsConfig?.['alkimia-net']?.Aliases;
    expect(aliasesOf(createOptions(serviceSpec(), CONTEXT))).toEqual(['web', 'web.alkimia.localhost']);
    const routes = [{ host: 'app.alkimia.localhost', path: '/', port: 3000 }];
    expect(aliasesOf(createOptions(serviceSpec({ routes }), CONTEXT))).toEqual(['web']);
  });

  it('publishes what was asked for, and every served port on the loopback where addresses cannot be reached', () => {
    const publish = [{ hostIp: '127.0.0.1', hostPort: 8888, containerPort: 3000, protocol: 'tcp' as const }];
    const routes = [{ host: 'a.test', path: '/', port: 7070 }];
    const spec = serviceSpec({ publish, routes });
    expect(createOptions(spec, CONTEXT).HostConfig?.PortBindings).toEqual({
      '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: '8888' }],
    });
    expect(createOptions(spec, { ...CONTEXT, mode: 'published' }).HostConfig?.PortBindings).toEqual({
      '3000/tcp': [
        { HostIp: '127.0.0.1', HostPort: '8888' },
        { HostIp: '127.0.0.1', HostPort: '' },
      ],
      '7070/tcp': [{ HostIp: '127.0.0.1', HostPort: '' }],
    });
    expect(Object.keys(createOptions(spec, CONTEXT).ExposedPorts ?? {}).sort()).toEqual(['3000/tcp', '7070/tcp']);
  });

  it('mounts folders as they are and labels the volumes that it makes', () => {
    const { HostConfig } = createOptions(
      serviceSpec({
        volumes: [
          { source: '/srv/code', kind: 'bind', target: '/app', readOnly: true },
          { source: 'data', kind: 'volume', target: '/data', readOnly: false },
        ],
      }),
      CONTEXT,
    );
    expect(HostConfig?.Mounts).toMatchObject([
      { Type: 'bind', Source: '/srv/code', Target: '/app', ReadOnly: true },
      { Type: 'volume', Source: 'data', VolumeOptions: { Labels: { 'dev.reveille.project': 'alkimia.localhost' } } },
    ]);
  });

  it('gives the environment of the service the last word', () => {
    const context = { ...CONTEXT, trust: 'PEM', environment: { REVEILLE_HTTPS_PORT: '8443', LEVEL: 'common' } };
    const env = createOptions(serviceSpec({ env: { LEVEL: 'own' } }), context).Env;
    expect(env).toEqual(expect.arrayContaining(['LEVEL=own', 'REVEILLE_HTTPS_PORT=8443']));
    expect(env).toContain('NODE_EXTRA_CA_CERTS=/etc/reveille/development-ca.pem');
    expect(env).not.toContain('LEVEL=common');
  });

  it('keeps its configuration hash, but not its surroundings, when the routes of others change', () => {
    const label = (hosts: string[], name: string): string | undefined =>
      createOptions(serviceSpec(), { ...CONTEXT, hosts }).Labels?.[`dev.reveille.${name}`];
    expect(label(['a.test'], 'config-hash')).toBe(label(['b.test'], 'config-hash'));
    expect(label(['a.test'], 'surroundings')).not.toBe(label(['b.test'], 'surroundings'));
    expect(label(['a.test', 'b.test'], 'surroundings')).toBe(label(['b.test', 'a.test'], 'surroundings'));
  });
});
