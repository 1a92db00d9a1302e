import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { pino } from 'pino';
import { SystemClock } from '../../src/lib/clock.ts';
import { LinkClient } from '../../src/link/link-client.ts';
import type { TrafficReport } from '../../src/seam/traffic-report.ts';
import { SocketRelay } from '../support/relays/socket-relay.ts';
import { trafficReport } from '../support/samples/traffic-report.ts';
import { fleetSpec, FleetHarness } from '../support/set-ups/fleet.ts';
import { LinkedFleet } from '../support/set-ups/linked-fleet.ts';
import { until } from '../support/until.ts';

describe('what a data half counts', () => {
  const heard: TrafficReport[] = [];
  let onTraffic: () => void;
  let link: LinkedFleet;
  let relay: SocketRelay;
  let client: LinkClient;

  beforeEach(async () => {
    heard.length = 0;
    onTraffic = () => undefined;
    link = await LinkedFleet.make();
    await link.serve(await control());
    relay = new SocketRelay(link.path);
    await relay.open();
    const log = pino({ level: 'silent' });
    client = new LinkClient({ path: relay.path, clock: new SystemClock(), log, onFacts: () => undefined });
    await client.start();
  });
  afterEach(async () => {
    client.close();
    await relay.close();
    await link.dispose();
  });

  it('is told to the control half, whole, and then no more', async () => {
    await client.reportTraffic(trafficReport(3));
    await client.reportTraffic(trafficReport(4));
    expect(heard).toEqual([trafficReport(3), trafficReport(4)]);
  });

  it('waits while the control process is away, and is told to the next one', async () => {
    await client.reportTraffic(trafficReport(1));
    await link.hangUp();
    await until(() => client.away);
    const waiting = [client.reportTraffic(trafficReport(2)), client.reportTraffic(trafficReport(3))];
    await link.serve(await control());
    await Promise.all(waiting);
    expect(counts()).toEqual([1, 2, 3]);
  });

  it('is counted once though the answer was lost on the way', async () => {
    let times = 0;
    onTraffic = () => {
      times += 1;
      if (times === 1) relay.drop();
    };
    await client.reportTraffic(trafficReport(5));
    await client.reportTraffic(trafficReport(6));
    expect(counts()).toEqual([5, 6]);
  });

  it('arrives also when it is the last that the data half says', async () => {
    void client.reportTraffic(trafficReport(9));
    client.close();
    await until(() => heard.length === 1);
    expect(counts()).toEqual([9]);
  });

  function counts(): (number | undefined)[] {
    return heard.map(({ requests }) => requests[0]?.count);
  }

  function control(): Promise<FleetHarness> {
    const tools = {
      onTraffic: (report: TrafficReport) => {
        heard.push(report);
        onTraffic();
      },
    };
    return new FleetHarness({ tools }).start(fleetSpec('web'));
  }
});
