import { describe, expect, it } from 'vitest';
import type { Member } from '../../../../src/fleet/member.ts';
import { recordOf } from '../../../../src/fleet/records/service-record.ts';
import { serviceSpec } from '../../../support/samples/service-spec.ts';

describe('recordOf', () => {
  const routes = [
    { host: 'app.test', path: '/', port: 3_000 },
    { host: '*.app.test', path: '/api', port: 3_001 },
  ];
  const since = Date.UTC(2026, 0, 2, 3, 4, 5);
  const member = {
    name: 'web',
    spec: serviceSpec({ routes, env: { TOKEN: 'hush' } }),
    status: 'degraded',
    desired: 2,
    instanceViews: [
      { id: 'web-1', state: 'ready', since, upstream: '127.0.0.1:20001' },
      { id: 'web-2', state: 'stopped', since },
    ],
  } as unknown as Member;
  const record = recordOf(member, 7, Date.UTC(2026, 0, 3), 'proxy-1');

  it('is what the contract says', () => {
    expect(record).toEqual({
      _id: 'web',
      routes: ['app.test', '*.app.test/api'],
      status: 'degraded',
      desired: 2,
      instances: [
        { id: 'web-1', state: 'ready', since: '2026-01-02T03:04:05.000Z', upstream: '127.0.0.1:20001' },
        { id: 'web-2', state: 'stopped', since: '2026-01-02T03:04:05.000Z' },
      ],
      rev: 7,
      updatedAt: '2026-01-03T00:00:00.000Z',
      proxyId: 'proxy-1',
    });
  });

  it('is plain data without secrets', () => {
    expect(JSON.parse(JSON.stringify(record))).toEqual(record);
    expect(JSON.stringify(record)).not.toContain('hush');
  });
});
