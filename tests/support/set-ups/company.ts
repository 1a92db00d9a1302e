import type { ServiceRecord } from '../../../src/fleet/state-store.ts';
import { FakeClock } from '../fakes/fake-clock.ts';
import { FakeRuntime } from '../fakes/fake-runtime.ts';
import { FakeStore } from '../fakes/fake-store.ts';
import { fleetSpec, FleetHarness } from './fleet.ts';

/** How long `web` has to be idle, in milliseconds. */
export const AFTER_MS = 60_000;

const web = fleetSpec('web', {
  sleep: { tiers: [{ afterMs: AFTER_MS, strategy: 'stop' }], unless: {} },
  scale: { min: 0, max: 3, cooldownMs: 60_000 },
});

/** Several control halves on one store and one runtime, in time that only the test moves. */
export class FakeCompany {
  readonly clock = new FakeClock();
  readonly runtime = new FakeRuntime({ clock: this.clock });
  readonly disk = new Map<string, ServiceRecord>();

  /** One more process; all have the same service `web`. */
  start(proxyId: string): Promise<FleetHarness> {
    const { clock } = this;
    const store = new FakeStore(this.disk, clock);
    return new FleetHarness({ clock, runtime: this.#engine(), store, proxyId, shared: true }).start(web);
  }

  /** As kill -9 does it: it neither gives back its lease nor says anything. */
  async kill({ fleet, store }: FleetHarness): Promise<void> {
    await store.close();
    await fleet.close();
  }

  /** What one process sees of the runtime: when it ends, what runs goes on. */
  #engine(): FakeRuntime {
    return new Proxy(this.runtime, {
      get(target, name) {
        if (name === 'close') return () => Promise.resolve();
        const value: unknown = Reflect.get(target, name, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  }
}
