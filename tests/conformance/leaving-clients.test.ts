import { afterEach, describe, expect, it } from 'vitest';
import { deferred } from '../../src/lib/deferred.ts';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';
import { awakeView, serviceView } from '../support/samples/service-view.ts';
import { RawUpstream, textResponse } from '../support/upstreams/upstream.ts';
import { BytePeer } from '../support/wire/byte-peer.ts';
import { until } from '../support/until.ts';

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: app.test\r\n\r\n`;

describe('clients that come and go', () => {
  const setUp = dataHalfSetUp();
  const open: (() => unknown)[] = [];
  afterEach(async () => {
    for (const close of open.splice(0)) await close();
  });

  it('wake nothing after they left, while their instance was being looked into', async () => {
    const nobody = await new RawUpstream(() => undefined).start();
    const { endpoint } = nobody;
    await nobody.close();
    const half = await setUp([awakeView({ upstreams: [{ id: 'web-1', endpoints: { 3000: endpoint } }] })]);
    const inspected = deferred<undefined>();
    half.link.suspect.mockImplementation(async () => {
      await inspected.promise;
      half.link.show(serviceView());
    });
    const client = await BytePeer.tls(half.client);
    client.send(get('/'));
    await until(() => half.link.suspect.mock.calls.length === 1);
    client.destroy();
    await until(() => half.link.inFlight.get('web-1') === 0);
    // The close has to have reached the other side: a request of somebody else comes after it.
    const other = await BytePeer.tls(half.client);
    other.send('GET / HTTP/1.1\r\nHost: other.test\r\n\r\n');
    await other.receive('unknown_host');
    other.destroy();
    inspected.resolve(undefined);
    await new Promise((resolve) => setImmediate(resolve));
    expect(half.link.wake).not.toHaveBeenCalled();
  });

  it('may pipeline many requests without a warning of too many listeners', async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on('warning', onWarning);
    open.push(() => process.off('warning', onWarning));
    const upstream = await new RawUpstream((peer, head) => {
      setImmediate(() => peer.send(textResponse(`seen ${/^\S+ (\S+)/.exec(head)?.[1] ?? ''}.`)));
    }).start();
    open.push(() => upstream.close());
    const half = await setUp([awakeView({ upstreams: [{ id: 'web-1', endpoints: { 3000: upstream.endpoint } }] })]);
    const client = await BytePeer.tls(half.client);
    open.push(() => client.destroy());
    const paths = Array.from({ length: 25 }, (_, index) => `/${index}`);
    client.send(paths.map(get).join(''));
    // Not `until`, which adds listeners of its own.
    await until(() => client.received.includes('seen /24.'));
    expect([...client.received.matchAll(/seen (\/\d+)\./g)].map(([, path]) => path)).toEqual(paths);
    expect(warnings).toEqual([]);
    await until(() => half.link.inFlight.get('web-1') === 0);
  });
});
