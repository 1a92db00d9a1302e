import type { Manifest, ServiceSpec } from '../config/service-spec.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { BreakerReport, ControlConnection, SessionReport, WakeTimings } from '../seam/control-link.ts';
import type { FleetUpdate } from '../seam/fleet-view.ts';
import { WakeFailed } from '../seam/wake-failed.ts';
import { ActivityBoard } from './activity-board.ts';
import { Autoscaler } from './autoscaler.ts';
import { Connection } from './connection.ts';
import { ALONE, type Company } from './company.ts';
import type { EventBus } from './event-bus.ts';
import { ExternalService } from './external-service.ts';
import { IdleSleeper } from './idle-sleeper.ts';
import type { Member, MemberObserver } from './member.ts';
import { Monitor } from './monitor.ts';
import { Peers } from './peers.ts';
import type { Prober } from './prober.ts';
import { Publisher } from './publisher.ts';
import { Readiness } from './readiness.ts';
import { Reconciler } from './reconciler.ts';
import type { Registry } from './registry.ts';
import type { Runtime, Usage } from './runtime.ts';
import type { InstanceLoad } from './scale-decision.ts';
import { Service } from './service.ts';
import type { ServiceTools } from './service-tools.ts';
import { startedHere } from './started-here.ts';
import type { ServiceRecord } from './state-store.ts';
import { SleepVeto } from './sleep-veto.ts';

export interface FleetTools {
  readonly runtime: Runtime;
  readonly prober: Prober;
  readonly registry: Registry;
  readonly observers: readonly MemberObserver[];
  readonly bus: EventBus;
  /** The other processes on the same store; absent where there cannot be any. */
  readonly company?: Company;
  /** Told of clients that keep to one instance. */
  readonly onSessions?: (reports: readonly SessionReport[]) => void;
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
  readonly #members = new Map<string, Member>();
  /** The names whose instances are still draining after they left the manifest. */
  readonly #leaving = new Set<string>();
  /** The version that took a member from the data half, which says nothing more about it in later ones. */
  readonly #leftIn = new WeakMap<Member, number>();
  readonly #activity: ActivityBoard;
  readonly #publisher: Publisher;
  readonly #reconciler: Reconciler;
  readonly #sleeper: IdleSleeper;
  readonly #autoscaler: Autoscaler;
  readonly #serviceTools: ServiceTools;
  /** What the instances use. */
  readonly monitor: Monitor;
  readonly #observers: readonly MemberObserver[];
  readonly #peers: Peers;
  readonly #company: Company;
  #connections = 0;
  #started = false;

  constructor(tools: FleetTools) {
    const { runtime, prober, clock, log, bus } = tools;
    const { company = ALONE } = tools;
    this.#tools = tools;
    this.#company = company;
    this.#observers = [tools.registry, ...tools.observers];
    this.#activity = new ActivityBoard(clock);
    this.#publisher = new Publisher(clock);
    this.#peers = new Peers((report) => this.#breakerChanged(report));
    const services = (): Service[] => this.#services();
    const service = (name: string): Service | undefined => services().find((each) => each.name === name);
    this.#reconciler = new Reconciler({
      runtime,
      clock,
      log,
      service,
      services,
      isLeaving: (name) => this.#leaving.has(name),
      mayRemove: () => company.inCharge(false),
      onCondition: () => this.#conditionChanged(),
    });
    const inFlight = (name: string, id: string): number => this.#activity.inFlightOf(name, id);
    this.monitor = new Monitor({ runtime, bus, clock, log, inFlight });
    const usageOf = (name: string, id: string): Usage | undefined => this.monitor.usageOf(name, id);
    const loadOf = (name: string, id: string): InstanceLoad => ({
      cpuRatio: usageOf(name, id)?.cpuRatio ?? null,
      inFlight: inFlight(name, id),
    });
    const mayScale = ({ instances }: Service): boolean => company.inCharge(startedHere(instances));
    this.#autoscaler = new Autoscaler({ clock, log, loadOf, mayScale });
    const veto = new SleepVeto({ usageOf, prober, clock });
    const mayRest = ({ instances }: Service): Promise<boolean> => company.confirm(startedHere(instances));
    const dependentsOf = (name: string): Service[] => services().filter(({ spec }) => name in spec.dependsOn);
    this.#sleeper = new IdleSleeper({ activity: this.#activity, clock, log, veto, mayRest, dependentsOf });
    this.#serviceTools = {
      ...{ runtime, bus, clock, log },
      activity: this.#activity,
      inCharge: (startedHere) => company.inCharge(startedHere),
      readiness: new Readiness({ runtime, prober, clock }),
      stopGraceMs: STOP_GRACE_MS,
      drainTimeoutMs: tools.drainTimeoutMs,
      showLogs: tools.showLogs,
      wakeDependency: (dependent, name) => this.#wakeDependency(dependent, name),
      publish: (changed) => this.#changed(changed),
      publishSoon: (changed) => this.#changedSoon(changed),
    };
  }

  get runtime(): Runtime {
    return this.#tools.runtime;
  }

  members(): readonly Member[] {
    return [...this.#members.values()];
  }

  member(name: string): Member | undefined {
    return this.#members.get(name);
  }

  inFlight(name: string): number {
    return this.#activity.inFlight(name);
  }

  /** Takes over the manifest and what is remembered of it. From here on requests can be routed and held. */
  async load(manifest: Manifest): Promise<void> {
    for (const spec of manifest.values()) this.#add(spec);
    await this.#tools.registry.load({
      read: (records) => this.#remember(records),
      changed: (record) => this.#followed(record),
    });
  }

  /** Adopts what already runs and starts what must always run. The runtime may be away: it is waited for behind. */
  async start(): Promise<void> {
    await this.#company.start(this.#activity, () => this.#elected());
    this.#reconciler.start();
    await this.#tools.runtime.start();
    if (this.#tools.runtime.condition.up) await this.#reconciler.reconcile();
    this.#started = true;
    this.#wakeAlwaysOn();
  }

  /** Resolves once the runtime has answered, and all that was found running has turned out to serve or not to. */
  async adopted(): Promise<void> {
    await this.#reconciler.compared;
    await Promise.all(this.#services().flatMap(({ instances }) => instances.map(({ adoption }) => adoption)));
  }

  /** Takes over an edited manifest: what did not change keeps its connections. */
  async apply(manifest: Manifest): Promise<{ added: string[]; changed: string[]; removed: string[] }> {
    const removed = [...this.#members.keys()].filter((name) => !manifest.has(name));
    const added = [...manifest.keys()].filter((name) => !this.#members.has(name));
    const changed = [...manifest.values()].filter((spec) => this.#differs(spec)).map(({ name }) => name);
    const leaving = removed.map((name) => this.#remove(name));
    for (const name of changed) this.#update(manifest.get(name) as ServiceSpec, leaving);
    for (const name of added) this.#add(manifest.get(name) as ServiceSpec);
    this.#tools.bus.emit('manifest.applied', 'proxy', { added, changed, removed });
    this.#wakeAlwaysOn();
    await Promise.all(leaving);
    return { added, changed, removed };
  }

  subscribe(listener: (update: FleetUpdate) => void): () => void {
    return this.#publisher.subscribe(this.members(), listener);
  }

  wake(name: string): Promise<WakeTimings> {
    const member = this.#members.get(name);
    if (member) return member.wake('request');
    const detail = `${name} is not in the manifest`;
    const failure = { code: 'unknown_service', detail, logTail: [], atEpochMs: this.#tools.clock.epochMs() };
    return Promise.reject(new WakeFailed(name, failure));
  }

  async suspect(name: string, id: string): Promise<void> {
    try {
      await this.#members.get(name)?.verify(id);
    } catch (error) {
      this.#tools.log.debug({ service: name, err: error }, `${id} does not serve: ${messageOf(error)}`);
    }
  }

  /** For one data half, whose counts are kept apart so that they can end with it. */
  connect(): ControlConnection {
    this.#connections += 1;
    const { onSessions = () => undefined } = this.#tools;
    const tools = { fleet: this, activity: this.#activity, peers: this.#peers, onSessions };
    return new Connection(`data half ${this.#connections}`, tools);
  }

  /** For operators. @throws CodedError `unknown_service`, `not_ours`, WakeFailed */
  managed(name: string): Service {
    const member = this.#members.get(name);
    if (!member) throw new CodedError('unknown_service', `there is no service ${name} in the manifest`);
    if (member instanceof Service) return member;
    throw new CodedError('not_ours', `${name} is run by somebody else (\`url\`): Reveille only sends requests to it`);
  }

  /** Lets go: what runs goes on running as far as the runtime allows. */
  async close(): Promise<void> {
    this.#reconciler.close();
    this.#sleeper.close();
    this.#autoscaler.close();
    this.monitor.close();
    for (const member of this.#members.values()) member.close();
    await this.#company.close();
    await this.#tools.registry.close();
    await this.#tools.runtime.close();
  }

  /** From now on this process decides; whoever did before may have left things undone. */
  #elected(): void {
    if (!this.#started) return;
    const reconciled = this.#tools.runtime.condition.up ? this.#reconciler.reconcile() : Promise.resolve();
    reconciled
      .catch((error: unknown) => this.#tools.log.warn({ err: error }, `could not reconcile: ${messageOf(error)}`))
      .finally(() => {
        for (const service of this.#services()) {
          service.follow(service.desired);
          this.#sleeper.consider(service);
        }
        this.#wakeAlwaysOn();
      });
  }

  #followed({ _id: name, desired }: ServiceRecord): void {
    const member = this.#members.get(name);
    if (member instanceof Service) member.follow(desired);
  }

  /** Perhaps only long after the start, when the store was away. */
  #remember(records: readonly ServiceRecord[]): void {
    for (const { _id: name, desired } of records) {
      const member = this.#members.get(name);
      if (member instanceof Service) member.follow(desired, true);
      else if (!member) this.#observers.forEach((observer) => observer.removed(name));
    }
  }

  #services(): Service[] {
    return [...this.#members.values()].filter((member) => member instanceof Service);
  }

  #add(spec: ServiceSpec): Member {
    const { prober, bus, clock } = this.#tools;
    const publish = (member: Member): number => this.#changed(member);
    const external =
      spec.source.kind === 'url' ? new ExternalService(spec, { prober, bus, clock, publish }) : undefined;
    external?.start();
    const member = external ?? new Service(spec, this.#serviceTools);
    this.#members.set(spec.name, member);
    this.#changed(member);
    return member;
  }

  #update(spec: ServiceSpec, leaving: Promise<void>[]): void {
    const member = this.#members.get(spec.name);
    const sameKind = member && member instanceof ExternalService === (spec.source.kind === 'url');
    if (sameKind) {
      member.update(spec).catch((error: unknown) => {
        this.#tools.log.warn(
          { service: spec.name, err: error },
          `${spec.name} keeps its old instances: ${messageOf(error)}`,
        );
      });
    } else {
      leaving.push(this.#remove(spec.name));
      this.#add(spec);
    }
  }

  async #remove(name: string): Promise<void> {
    const member = this.#members.get(name);
    this.#members.delete(name);
    for (const keeper of [this.monitor, this.#autoscaler, this.#sleeper]) keeper.forget(name);
    const version = this.#publisher.publishRemoved(name);
    for (const observer of this.#observers) observer.removed(name);
    if (!member) return;
    this.#leftIn.set(member, version);
    this.#leaving.add(name);
    await member.dispose().catch((error: unknown) => {
      this.#tools.log.warn({ service: name, err: error }, `${name} could not be removed: ${messageOf(error)}`);
    });
    this.#leaving.delete(name);
  }

  #differs(spec: ServiceSpec): boolean {
    const member = this.#members.get(spec.name);
    return member !== undefined && JSON.stringify(member.spec) !== JSON.stringify(spec);
  }

  /** The one place that hears of every change of a service. */
  #changed(member: Member): number {
    if (this.#members.get(member.name) !== member) return this.#leftIn.get(member) ?? this.#publisher.version;
    const version = this.#publisher.publish(member);
    for (const observer of this.#observers) observer.changed(member);
    if (member instanceof Service) {
      for (const keeper of [this.monitor, this.#autoscaler, this.#sleeper]) keeper.consider(member);
      for (const name of Object.keys(member.spec.dependsOn)) {
        const dependency = this.#members.get(name);
        if (dependency instanceof Service) this.#sleeper.consider(dependency);
      }
    }
    return version;
  }

  #changedSoon(member: Member): void {
    if (this.#members.get(member.name) === member) this.#publisher.publishSoon(member);
  }

  async #wakeDependency(dependent: ServiceSpec, name: string): Promise<void> {
    const dependency = this.#members.get(name);
    const onlyStarted = dependent.dependsOn[name] === 'started';
    if (onlyStarted && dependency instanceof Service) await dependency.untilStarted('dependency');
    else await dependency?.wake('dependency');
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
    for (const service of this.#services()) {
      if (service.spec.scale.min === 0) continue;
      service.wake('boot').catch((error: unknown) => {
        this.#tools.log.warn({ service: service.name }, `${service.name} should always run: ${messageOf(error)}`);
      });
    }
  }
}
