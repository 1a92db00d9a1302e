import { pino } from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { EventBus } from '../../src/fleet/event-bus.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import type { CloudEvent } from '../../src/messaging/cloud-event.ts';
import { MqttService } from '../../src/messaging/mqtt-service.ts';
import { Topics } from '../../src/messaging/topics.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { until } from '../support/until.ts';
import { statusOf } from './mqtt-suite.ts';

describe.skipIf(!hasMosquitto)(`a broker that freezes${hasMosquitto ? '' : ' (skipped: no mosquitto)'}`, () => {
  const ends: (() => Promise<void>)[] = [];

  afterEach(async () => {
    for (const end of ends.splice(0).reverse()) await end();
  });

  it('is left, and knows everything once it has thawed', async () => {
    const mosquitto = await Mosquitto.create();
    ends.push(() => mosquitto.dispose());
    await mosquitto.start();
    const [clock, lines] = [new SystemClock(), [] as string[]];
    const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
    const bus = new EventBus(clock, log);
    const url = `mqtt://127.0.0.1:${mosquitto.port}`;
    const service = new MqttService({
      ...{ broker: { kind: 'external', url }, topics: new Topics('r'), proxyId: 'p1', bus, clock, log },
      reconnect: { initialMs: 20, maxMs: 50 },
      patience: { connectMs: 2_000, acknowledgeMs: 500, farewellMs: 1_000 },
    });
    ends.push(() => service.close());
    service.start();
    await until(() => service.connected);
    const watcher = await MqttWatcher.watch(url, 'r');
    ends.push(() => watcher.close());
    mosquitto.freeze();
    for (let n = 0; n < 20; n += 1) bus.emit('scale.up', 'web', { n });
    service.publishStatus(statusOf('web', { status: 'failed' }));
    await until(() => !service.connected);
    bus.emit('scale.up', 'web', { n: 20 });
    service.publishStatus(statusOf('web', { status: 'asleep' }));
    await until(() => !service.condition.up && service.condition.reason.includes('answers nothing'));
    mosquitto.thaw();
    const numbers = (): number[] => {
      const events = watcher.payloads('r/web/event/scale.up').map((each) => JSON.parse(each) as CloudEvent);
      // What it had taken and not acknowledged comes twice, with the same id: QoS 1 promises at least once.
      return [...new Map(events.map(({ id, data }) => [id, data['n'] as number])).values()];
    };
    await until(() => numbers().length === 21);
    expect(numbers().sort((a, b) => a - b)).toEqual(Array.from({ length: 21 }, (_, n) => n));
    await until(() => service.connected);
    const late = await MqttWatcher.watch(url, 'r');
    ends.push(() => late.close());
    await until(() => late.last('r/web/status')?.includes('asleep') && late.last('r/proxy/p1/status') === 'online');
    expect(service.dropped).toBe(0);
    // One line a change: it goes, it is back.
    const told = lines.map((line) => /"(connected|lost|cannot)/.exec(line)?.[1]);
    expect(told).toEqual(told.map((_, n) => (n % 2 === 0 ? 'connected' : 'lost')));
  });
});
