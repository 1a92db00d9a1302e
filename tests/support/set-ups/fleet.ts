import { pino } from 'pino';
import type { ServiceSpec } from '../../../src/config/service-spec.ts';
import { Dispatcher } from '../../../src/dispatch/dispatcher.ts';
import { SharedCompany } from '../../../src/fleet/company/company.ts';
import { EventBus } from '../../../src/fleet/event-bus.ts';
import type { EventType, FleetEvent } from '../../../src/fleet/events.ts';
import { Fleet, type FleetTools } from '../../../src/fleet/fleet.ts';
import { Registry } from '../../../src/fleet/records/registry.ts';
import type { Service } from '../../../src/fleet/service/service.ts';
import { WakeFailed } from '../../../src/seam/wake-failed.ts';
import { FakeClock, settle } from '../fakes/fake-clock.ts';
import { FakeDataHalf } from '../fakes/fake-data-half.ts';
import { FakeRuntime } from '../fakes/fake-runtime.ts';
import { FakeStore } from '../fakes/fake-store.ts';
import { ScriptedProber } from '../fakes/scripted-prober.ts';
import { serviceSpec } from '../samples/service-spec.ts';
import type { Watched } from '../watch.ts';

export { watch, type Watched } from '../watch.ts';

export interface FleetHarnessOptions {
  readonly clock?: FakeClock;
  readonly runtime?: FakeRuntime;
  readonly store?: FakeStore;
  readonly proxyId?: string;
  /** Whether other processes may use the same store. */
  readonly shared?: boolean;
  readonly tools?: Partial<FleetTools>;
}

interface LogRecord {
  readonly level: number;
  readonly msg: string;
  readonly service?: string;
}

/** A service whose readiness path names it, so that a test can script its probes: `prober.refuse('web')`. */
export function fleetSpec(name: string, changes: Partial<ServiceSpec> = {}): ServiceSpec {
  const routes = [{ host: `${name}.test`, path: '/', port: 3_000 }];
  return serviceSpec({ name, routes, readiness: { strategy: { kind: 'http', path: `/${name}` } }, ...changes });
}

export function manifestOf(...specs: readonly ServiceSpec[]): Map<string, ServiceSpec> {
  return new Map(specs.map((spec) => [spec.name, spec]));
}

/** A control half over fakes, in time that only the test moves. */
export class FleetHarness {
  readonly clock: FakeClock;
  readonly runtime: FakeRuntime;
  readonly store: FakeStore;
  readonly prober = new ScriptedProber();
  readonly events: FleetEvent[] = [];
  readonly logged: LogRecord[] = [];
  readonly bus: EventBus;
  readonly registry: Registry;
  readonly fleet: Fleet;
  readonly data = new FakeDataHalf();
  readonly company: SharedCompany | undefined;

  constructor({
    clock = new FakeClock(),
    runtime,
    store = new FakeStore(),
    proxyId = 'proxy-1',
    shared = false,
    tools,
  }: FleetHarnessOptions = {}) {
    this.clock = clock;
    this.runtime = runtime ?? new FakeRuntime({ clock });
    this.store = store;
    const log = pino({ level: 'debug' }, { write: (line) => void this.logged.push(JSON.parse(line) as LogRecord) });
    this.bus = new EventBus(clock, log);
    this.bus.subscribe((event) => void this.events.push(event));
    this.registry = new Registry({ store, clock, log, proxyId });
    const { registry, bus, prober } = this;
    const common = { bus, clock, log, prober, registry, runtime: this.runtime };
    this.company = shared ? new SharedCompany({ store, clock, log, project: 'test', processId: proxyId }) : undefined;
    this.fleet = new Fleet({
      checks: (check) => check(),
      ...common,
      ...(this.company && { company: this.company }),
      observers: [],
      drainTimeoutMs: () => 30_000,
      showLogs: true,
      ...tools,
    });
  }

  /** As app.ts does it: the store, the manifest, the data half, then what runs. */
  async start(...specs: readonly ServiceSpec[]): Promise<this> {
    await this.store.start();
    await this.fleet.load(manifestOf(...specs));
    this.data.join(this.fleet.connect());
    await this.fleet.start();
    await settle();
    return this;
  }

  service(name: string): Service {
    return this.fleet.managed(name);
  }

  /** The state of every instance of a service, by index from 1. */
  states(name: string): string[] {
    return this.service(name).instances.map(({ state }) => state.kind);
  }

  /** The types of the events of one service (or all), in order. */
  eventTypes(service?: string): EventType[] {
    return this.events.filter((event) => service === undefined || event.service === service).map(({ type }) => type);
  }

  eventsOf(type: EventType, service?: string): FleetEvent[] {
    return this.events.filter((event) => event.type === type && (service === undefined || event.service === service));
  }

  /** A dispatcher as the data half has it, in the place of the fake one. */
  realDispatcher(): Dispatcher {
    this.data.leave();
    const link = this.fleet.connect();
    const dispatcher = new Dispatcher({ clock: this.clock, link, random: () => 0 });
    link.subscribe((update) => {
      dispatcher.apply(update);
      link.reportSeen(update.version);
    });
    return dispatcher;
  }

  /** Lets promises settle, then moves on, and lets them settle again. */
  pass(ms = 0): Promise<void> {
    return this.clock.advanceAsync(ms);
  }
}

/** A control half that has started with these services. */
export function startFleet(...specs: readonly ServiceSpec[]): Promise<FleetHarness> {
  return new FleetHarness().start(...specs);
}

/** The code of the failure that a watched wake ended with; undefined while it has not failed. */
export function failureCode({ error }: Watched<unknown>): string | undefined {
  return error instanceof WakeFailed ? error.failure.code : undefined;
}
