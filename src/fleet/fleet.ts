import type { Manifest, ServiceSpec } from '../config/service-spec.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { BreakerReport, ControlConnection, SessionReport, WakeTimings } from '../seam/control-link.ts';
import type { FleetUpdate } from '../seam/fleet-view.ts';
import type { TrafficReport } from '../seam/traffic-report.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import { ActivityBoard } from './activity-board.ts';
import { Connection } from './connection.ts';
import { ALONE, type Company } from './company/company.ts';
import type { EventBus } from './event-bus.ts';
import { ExternalService, type ExternalTools } from './external-service.ts';
import { createInstanceKeeper } from './instance-keeper.ts';
import { Keepers } from './keepers/keepers.ts';
import type { Member, MemberObserver } from './member.ts';
import { Members, type MembersChange } from './members.ts';
import type { Monitor } from './usage/monitor.ts';
import { Peers } from './peers.ts';
import type { Prober } from './prober.ts';
import { Publisher } from './publisher.ts';
import { Readiness } from './instance/readiness.ts';
import { Reconciler } from './reconciler.ts';
import type { Registry } from './records/registry.ts';
import type { Runtime } from './runtime.ts';
import { Service } from './service/service.ts';
import type { ServiceTools } from './service/service-tools.ts';
import type { ServiceRecord } from './state-store.ts';

export interface FleetTools {
  readonly runtime: Runtime;
  readonly prober: Prober;
  /** Begins a check of a service that somebody else runs when not too many are out. */
  readonly checks: ExternalTools['checks'];
  readonly registry: Registry;
  readonly observers: readonly MemberObserver[];
  readonly bus: EventBus;
  /** The other processes on the same store; absent where there cannot be any. */
  readonly company?: Company;
  /** Told of clients that keep to one instance. */
  readonly onSessions?: (reports: readonly SessionReport[]) => void;
  /** Told of what the data halves have counted. */
  readonly onTraffic?: (report: TrafficReport) => void;
  readonly clock: Clock;
  readonly log: Logger;
  readonly drainTimeoutMs: () => number;
  readonly showLogs: boolean;
}

/** How long an instance may take to end by itself before it is made to. */
const STOP_GRACE_MS = 10_000;

/** The control half: what runs, and when. The data halves and the operators talk to it, nobody else. */
export class Fleet {
  readonly #tools: FleetTools;
  readonly #company: Company;
  readonly #observers: readonly MemberObserver[];
  readonly #activity: ActivityBoard;
  readonly #publisher: Publisher;
  readonly #peers: Peers;
  readonly #members: Members;
  readonly #keepers: Keepers;
  readonly #reconciler: Reconciler;
  readonly #serviceTools: ServiceTools;
  #connections = 0;
  #started = false;

  constructor(tools: FleetTools) {
    const { company = ALONE, clock, log } = tools;
    this.#tools = tools;
    this.#company = company;
    this.#observers = [tools.registry, ...tools.observers];
    this.#activity = new ActivityBoard(clock);
    this.#publisher = new Publisher(clock);
    this.#peers = new Peers((report) => this.#breakerChanged(report));
    this.#members = new Members({
      ...{ log, publisher: this.#publisher },
      create: (spec) => this.#create(spec),
      onChanged: (member) => this.#changed(member),
      onLeft: (name) => this.#left(name),
    });
    const shared = { ...tools, company, activity: this.#activity };
    const dependentsOf = (name: string): Service[] =>
      this.#members.services.filter(({ spec }) => name in spec.dependsOn);
    const startedHere = (name: string, id: string): boolean =>
      this.#members.service(name)?.instances.find((each) => each.id === id)?.startedHere ?? false;
    this.#keepers = new Keepers({ ...shared, dependentsOf, startedHere });
    this.#reconciler = new Reconciler({
      ...tools,
      members: this.#members,
      mayRemove: () => company.confirm(false),
      onCondition: () => this.#conditionChanged(),
    });
    this.#serviceTools = {
      ...shared,
      readiness: new Readiness(tools),
      stopGraceMs: STOP_GRACE_MS,
      wakeDependency: (dependent, name) => this.#wakeDependency(dependent, name),
      publish: (member) => this.#members.changed(member),
      publishSoon: (member) => this.#members.progressed(member),
    };
  }

  /**
   * Whether this process, and no other, decides about what it has started itself (or not). Alone it always does; of
   * several the one that leads, and while nobody can know which that is, each about its own.
   */
  inCharge(startedHere: boolean): boolean {
    return this.#company.inCharge(startedHere);
  }

  get runtime(): Runtime {
    return this.#tools.runtime;
  }

  /** What the instances use. */
  get monitor(): Monitor {
    return this.#keepers.monitor;
  }

  /** What the data halves know of each other. */
  get peers(): Pick<Peers, 'waitingFor' | 'isOpen'> {
    return this.#peers;
  }

  members(): readonly Member[] {
    return this.#members.all;
  }

  member(name: string): Member | undefined {
    return this.#members.get(name);
  }

  inFlight(name: string): number {
    return this.#activity.inFlight(name);
  }

  /** Takes over the manifest and what is remembered of it. From here on requests can be routed and held. */
  async load(manifest: Manifest): Promise<void> {
    for (const spec of manifest.values()) this.#members.add(spec);
    await this.#tools.registry.load({
      read: (records) => this.#remember(records),
      changed: ({ _id: name, desired }) => this.#members.service(name)?.follow(desired),
    });
  }

  /** Adopts what already runs and starts what must always run. The runtime may be away: it is waited for behind. */
  async start(): Promise<void> {
    await this.#company.start({
      activity: this.#activity,
      keeper: createInstanceKeeper({
        ...{ members: this.#members, publisher: this.#publisher, activity: this.#activity, log: this.#tools.log },
      }),
      onElected: () => this.#elected(),
    });
    this.#reconciler.start();
    await this.#tools.runtime.start();
    if (this.#tools.runtime.condition.up) await this.#reconciler.reconcile();
    this.#started = true;
    this.#wakeAlwaysOn();
  }

  /** Resolves once the runtime has answered, and all that was found running has turned out to serve or not to. */
  async adopted(): Promise<void> {
    await this.#reconciler.compared;
    await Promise.all(this.#members.services.flatMap(({ instances }) => instances.map(({ adoption }) => adoption)));
  }

  /** Takes over an edited manifest: what did not change keeps its connections. */
  async apply(manifest: Manifest): Promise<MembersChange> {
    const { change, gone } = this.#members.follow(manifest);
    this.#tools.bus.emit('manifest.applied', 'proxy', { ...change });
    this.#wakeAlwaysOn();
    this.#tellOfOpen(change.removed);
    await gone;
    return change;
  }

  /** Edits follow one another: who makes the next one should know what it waits for. */
  #tellOfOpen(removed: readonly string[]): void {
    const used = removed.filter((name) => this.#activity.inFlight(name) > 0);
    if (used.length === 0) return;
    const { log, drainTimeoutMs } = this.#tools;
    const until = `until what is open there has ended, at most ${drainTimeoutMs() / 1_000} s (DRAIN_TIMEOUT)`;
    log.info({ services: used }, `${used.join(', ')} left the manifest while in use: the next edit waits ${until}`);
  }

  subscribe(listener: (update: FleetUpdate) => void): () => void {
    return this.#publisher.subscribe(this.members(), listener);
  }

  wake(name: string): Promise<WakeTimings> {
    const member = this.member(name);
    if (member) return member.wake('request');
    const detail = `${name} is not in the manifest`;
    const failure = { code: 'unknown_service', detail, logTail: [], atEpochMs: this.#tools.clock.epochMs() };
    return Promise.reject(new WakeFailed(name, failure));
  }

  async suspect(name: string, id: string): Promise<void> {
    try {
      await this.member(name)?.verify(id);
    } catch (error) {
      this.#tools.log.debug({ service: name, err: error }, `${id} does not serve: ${messageOf(error)}`);
    }
  }

  /** For one data half, whose counts are kept apart so that they can end with it. */
  connect(): ControlConnection {
    this.#connections += 1;
    const { onSessions = () => undefined, onTraffic = () => undefined } = this.#tools;
    const tools = { fleet: this, activity: this.#activity, peers: this.#peers, onSessions, onTraffic };
    return new Connection(`data half ${this.#connections}`, tools);
  }

  /** For operators. @throws CodedError `unknown_service`, `not_ours` */
  managed(name: string): Service {
    const service = this.#members.service(name);
    if (service) return service;
    if (!this.member(name)) throw new CodedError('unknown_service', `there is no service ${name} in the manifest`);
    throw new CodedError('not_ours', `${name} is run by somebody else (\`url\`): Reveille only sends requests to it`);
  }

  /** Lets go: what runs goes on running as far as the runtime allows. */
  async close(): Promise<void> {
    this.#reconciler.close();
    this.#keepers.close();
    for (const member of this.members()) member.close();
    await this.#company.close();
    await this.#tools.registry.close();
    await this.#tools.runtime.close();
  }

  #create(spec: ServiceSpec): Member {
    if (spec.source.kind !== 'url') return new Service(spec, this.#serviceTools);
    const { prober, bus, clock, checks } = this.#tools;
    const publish = (member: Member): number => this.#members.changed(member);
    const mayTell = (): boolean => this.inCharge(true);
    const external = new ExternalService(spec, { prober, bus, clock, publish, mayTell, checks });
    external.start();
    return external;
  }

  #changed(member: Member): void {
    for (const observer of this.#observers) observer.changed(member);
    if (!(member instanceof Service)) return;
    this.#keepers.consider(member);
    for (const name of Object.keys(member.spec.dependsOn)) {
      const dependency = this.#members.service(name);
      if (dependency) this.#keepers.considerSleep(dependency);
    }
  }

  #left(name: string): void {
    this.#keepers.forget(name);
    for (const observer of this.#observers) observer.removed(name);
  }

  /** From now on this process decides; whoever did before may have left things undone. */
  #elected(): void {
    if (!this.#started) return;
    const reconciled = this.#tools.runtime.condition.up ? this.#reconciler.reconcile() : Promise.resolve();
    reconciled
      .catch((error: unknown) => this.#tools.log.warn({ err: error }, `could not reconcile: ${messageOf(error)}`))
      .finally(() => {
        for (const service of this.#members.services) {
          service.follow(service.desired);
          this.#keepers.considerSleep(service);
        }
        this.#wakeAlwaysOn();
      });
  }

  /** Perhaps only long after the start, when the store was away. */
  #remember(records: readonly ServiceRecord[]): void {
    for (const { _id: name, desired } of records) {
      this.#members.service(name)?.follow(desired, true);
      if (!this.member(name)) this.#observers.forEach((observer) => observer.removed(name));
    }
  }

  async #wakeDependency(dependent: ServiceSpec, name: string): Promise<void> {
    const service = this.#members.service(name);
    if (service && dependent.dependsOn[name] === 'started') await service.untilStarted('dependency');
    else await this.member(name)?.wake('dependency');
  }

  #breakerChanged({ service, instanceId, open }: BreakerReport): void {
    this.#tools.bus.emit(open ? 'breaker.opened' : 'breaker.closed', service, {}, instanceId);
  }

  #conditionChanged(): void {
    const { condition } = this.#tools.runtime;
    if (condition.up) this.#tools.log.info(`the ${this.#tools.runtime.kind} runtime answers`);
    else this.#tools.log.warn(`the ${this.#tools.runtime.kind} runtime does not answer: ${condition.reason}`);
    if (condition.up && this.#started) this.#wakeAlwaysOn();
  }

  #wakeAlwaysOn(): void {
    for (const service of this.#members.services) {
      if (service.spec.scale.min === 0) continue;
      service.wake('boot').catch((error: unknown) => {
        this.#tools.log.warn({ service: service.name }, `${service.name} should always run: ${messageOf(error)}`);
      });
    }
  }
}
