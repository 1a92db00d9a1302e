import type { ContainerInspectInfo } from 'dockerode';
import { describe, expect, it } from 'vitest';
import { observe } from '../../../../../src/runtimes/docker/containers/observe.ts';

const LABELS = {
  'dev.reveille.managed': 'true',
  'dev.reveille.project': 'demo',
  'dev.reveille.service': 'web',
  'dev.reveille.index': '1',
  'dev.reveille.config-hash': 'h1',
  'dev.reveille.ports': '3000,7070',
};
const OPTIONS = {
  project: 'demo',
  network: 'demo-net',
  mode: 'direct',
  nowEpochMs: Date.parse('2026-11-21T10:00:05Z'),
} as const;

/** The parts of an inspection, as Engine 20.10 gives it, that are read. */
function inspection(changes: { state?: object; config?: object; network?: object } = {}): ContainerInspectInfo {
  return {
    Id: 'c1',
    Name: '/demo-web-1',
    State: {
      Status: 'running',
      Running: true,
      ExitCode: 0,
      OOMKilled: false,
      StartedAt: '2026-11-21T10:00:00.123456789Z',
      ...changes.state,
    },
    Config: { Labels: LABELS, ...changes.config },
    NetworkSettings: {
      Networks: { 'demo-net': { IPAddress: '172.18.0.5' } },
      Ports: { '3000/tcp': [{ HostIp: '127.0.0.1', HostPort: '49155' }], '7070/tcp': null },
      ...changes.network,
    },
  } as unknown as ContainerInspectInfo;
}

describe('an inspected container', () => {
  it('is an instance with the literal address of each port', () => {
    expect(observe(inspection(), OPTIONS)).toEqual({
      key: { service: 'web', index: 1 },
      runtimeId: 'c1',
      configHash: 'h1',
      state: 'running',
      endpoints: { 3000: { host: '172.18.0.5', port: 3000 }, 7070: { host: '172.18.0.5', port: 7070 } },
      upMs: 4877,
    });
  });

  it('is reached at its published ports where its address is out of reach', () => {
    expect(observe(inspection(), { ...OPTIONS, mode: 'published' })?.endpoints).toEqual({
      3000: { host: '127.0.0.1', port: 49155 },
    });
  });

  it('has neither endpoints nor an age once it ended, but an exit', () => {
    const state = { Status: 'exited', Running: false, ExitCode: 137, OOMKilled: true };
    const observed = observe(inspection({ state }), OPTIONS);
    expect(observed).toMatchObject({ state: 'exited', endpoints: {}, exit: { code: 137, oomKilled: true } });
    expect(observed).not.toHaveProperty('upMs');
  });

  it('keeps its endpoints while it is paused', () => {
    const observed = observe(inspection({ state: { Status: 'paused', Paused: true } }), OPTIONS);
    expect(observed?.state).toBe('paused');
    expect(observed?.endpoints[3000]).toEqual({ host: '172.18.0.5', port: 3000 });
  });

  it('has no endpoint before the engine gave it an address', () => {
    expect(
      observe(inspection({ network: { Networks: { 'demo-net': { IPAddress: '' } } } }), OPTIONS)?.endpoints,
    ).toEqual({});
  });

  it.each([
    ['of another project', { ...LABELS, 'dev.reveille.project': 'other' }],
    ['without the mark of Reveille', { ...LABELS, 'dev.reveille.managed': 'no' }],
    ['without labels', {}],
    ['with an index that is none', { ...LABELS, 'dev.reveille.index': 'x' }],
  ])('is none of ours %s', (_case, labels) => {
    expect(observe(inspection({ config: { Labels: labels } }), OPTIONS)).toBeUndefined();
  });

  it('is gone while the engine removes it', () => {
    expect(observe(inspection({ state: { Status: 'removing' } }), OPTIONS)).toBeUndefined();
  });

  it.each([
    [
      ['CMD', 'node', 'check.js'],
      ['node', 'check.js'],
    ],
    [
      ['CMD-SHELL', 'curl -f localhost'],
      ['/bin/sh', '-c', 'curl -f localhost'],
    ],
    [['NONE'], undefined],
    [[], undefined],
  ])('has the HEALTHCHECK %j as the command %j', (test, command) => {
    expect(
      observe(inspection({ config: { Labels: LABELS, Healthcheck: { Test: test } } }), OPTIONS)?.healthCommand,
    ).toEqual(command);
  });
});
