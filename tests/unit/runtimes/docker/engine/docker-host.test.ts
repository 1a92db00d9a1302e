import { describe, expect, it } from 'vitest';
import { parseDockerHost } from '../../../../../src/runtimes/docker/engine/docker-host.ts';

describe('DOCKER_HOST', () => {
  it('is a local socket', () => {
    const { options, address, local } = parseDockerHost('unix:///run/user/1000/docker.sock', {});
    expect(options.socketPath).toBe('/run/user/1000/docker.sock');
    expect([address, local]).toEqual(['unix:///run/user/1000/docker.sock', true]);
  });

  it.each([undefined, '', '  '])('%j is the default socket, whatever the environment of the process says', (value) => {
    const { options, local } = parseDockerHost(value, {});
    expect(options.socketPath).toContain('docker.sock');
    expect(options).toHaveProperty('host', undefined);
    expect(local).toBe(true);
  });

  it('is a remote engine', () => {
    expect(parseDockerHost('tcp://10.0.0.5:2375', {})).toEqual({
      options: { host: '10.0.0.5', port: '2375', protocol: 'http' },
      address: 'tcp://10.0.0.5:2375',
      local: false,
    });
    expect(parseDockerHost('10.0.0.5', { DOCKER_TLS_VERIFY: '1' }).options).toMatchObject({
      port: '2376',
      protocol: 'https',
    });
    expect(parseDockerHost('ssh://me@host', {}).options).toMatchObject({
      protocol: 'ssh',
      username: 'me',
      host: 'host',
    });
  });

  it('is refused when it is no address', () => {
    expect(() => parseDockerHost('tcp://:::', {})).toThrow('DOCKER_HOST');
  });
});
