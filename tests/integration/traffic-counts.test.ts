import { once } from 'node:events';
import type { ClientHttp2Session } from 'node:http2';
import { describe, expect, it } from 'vitest';
import type { ControlLink } from '../../src/seam/control-link.ts';
import type { TrafficReport } from '../../src/seam/traffic-report.ts';
import { get2, HttpsClient } from '../support/clients/https-client.ts';
import { awakeView } from '../support/samples/service-view.ts';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';
import { until } from '../support/until.ts';

const NOBODY_LISTENS = 9;

describe('what a data half counts of its traffic', () => {
  const open = dataHalfSetUp();

  it('is of a bounded number of kinds, whatever methods there are in HTTP/2', async () => {
    const { client, link } = await open([]);
    const session = await new HttpsClient(client).http2('app.test');
    const count = 2_000;
    for (let from = 0; from < count; from += 50) {
      await Promise.all(Array.from({ length: 50 }, (_, index) => ask(session, `M${from + index}`)));
    }
    session.destroy();
    await until(() => counted(link.reportTraffic) === count);
    const kinds = reports(link.reportTraffic).flatMap(({ requests }) =>
      requests.map(({ service, method, status }) => `${service} ${method} ${status}`),
    );
    expect(new Set(kinds)).toEqual(new Set([' other 404']));
  });

  it('has both attempts that failed, the retry between them, and one request', async () => {
    const endpoints = { 3000: { host: '127.0.0.1', port: NOBODY_LISTENS } };
    const { client, link } = await open([awakeView({ upstreams: [{ id: 'web-1', endpoints }] })]);
    const session = await new HttpsClient(client).http2('app.test');
    const { status } = await get2(session);
    session.destroy();
    await until(() => counted(link.reportTraffic) === 1);
    const all = reports(link.reportTraffic);
    expect(all.flatMap(({ requests }) => requests)).toMatchObject([
      { service: 'web', method: 'GET', status, count: 1 },
    ]);
    const incidents = all.flatMap((report) => report.incidents);
    expect(incidents.map(({ incident, count }) => [incident, count])).toEqual([
      ['retry', 1],
      ['upstream_refused', 2],
    ]);
  });

  async function ask(session: ClientHttp2Session, method: string): Promise<void> {
    const stream = session.request({ ':method': method, ':path': '/', ':authority': 'nobody.app.test' });
    stream.on('error', () => undefined);
    stream.resume().end();
    await once(stream, 'close');
  }

  function reports({
    mock,
  }: {
    readonly mock: { readonly calls: Parameters<ControlLink['reportTraffic']>[] };
  }): TrafficReport[] {
    return mock.calls.map(([report]) => report);
  }

  function counted(told: Parameters<typeof reports>[0]): number {
    return reports(told)
      .flatMap(({ requests }) => requests)
      .reduce((sum, { count }) => sum + count, 0);
  }
});
