import type { Clock } from '../lib/clock.ts';
import type { ControlLink, Verdict, WakeTimings } from '../seam/control-link.ts';
import type { ServiceView } from '../seam/fleet-view.ts';
import type { ActivityReports } from './activity-reports.ts';
import { CircuitBreaker } from './circuit-breaker.ts';
import { DispatchError } from './errors.ts';
import { Lease } from './lease.ts';
import { pick } from './load-balancer.ts';
import { Upstream } from './upstream.ts';
import { WaitingRoom } from './waiting-room.ts';

type DataHalfReports = 'reportBreaker' | 'reportVerdict' | 'reportWaiting';

export interface PoolTools {
  readonly clock: Clock;
  readonly link: Pick<ControlLink, 'wake' | 'suspect' | DataHalfReports>;
  readonly activity: ActivityReports;
  readonly random: () => number;
}

export interface LeaseWish {
  /** The container port of the route. */
  readonly port: number;
  /** The instance that the client is tied to. */
  readonly prefer?: string | undefined;
  /** An instance that has just failed this request. */
  readonly avoid?: string | undefined;
}

/** One service as the data half knows it: its instances, and the requests that wait for it. */
export class ServicePool {
  readonly name: string;
  readonly #tools: PoolTools;
  readonly #room: WaitingRoom<WakeTimings>;
  #view: ServiceView;
  #upstreams: Upstream[] = [];
  /** Instances that the view no longer has but that still serve a request of ours. */
  readonly leaving: Set<Upstream>;
  #turn = 0;
  #waking = false;
  #waitingElsewhere = 0;
  #tellingWaiting = false;
  readonly #release = (upstream: Upstream): void => {
    this.#tools.activity.add(upstream);
    // Somebody waits for the last request of one that is leaving to end.
    if (upstream.inFlight === 0 && this.leaving.delete(upstream)) this.#tools.activity.flush();
  };

  /** @param leaving those of the pool that the service had before it left the manifest and came back */
  constructor(view: ServiceView, tools: PoolTools, leaving = new Set<Upstream>()) {
    this.leaving = leaving;
    this.name = view.name;
    this.#view = view;
    this.#tools = tools;
    this.#room = new WaitingRoom(tools.clock, view.name, () => this.#tellWaiting());
  }

  get view(): ServiceView {
    return this.#view;
  }

  get waiting(): number {
    return this.#room.waiting;
  }

  /** How many wait for the service in other proxy processes: the limit holds for all together. */
  set waitingElsewhere(count: number) {
    this.#waitingElsewhere = count;
  }

  get inFlight(): number {
    return this.#upstreams.reduce((sum, { inFlight }) => sum + inFlight, 0);
  }

  /** Takes over what the control half says, keeps the counts of what stays, and has them reported back. */
  apply(view: ServiceView): void {
    this.#view = view;
    const before = new Map([...this.#upstreams, ...this.leaving].map((upstream) => [upstream.id, upstream]));
    this.#upstreams = view.upstreams.map((each) => {
      const upstream = before.get(each.id) ?? new Upstream(this.name, each, this.#breakerFor(each.id));
      before.delete(each.id);
      this.leaving.delete(upstream);
      upstream.endpoints = each.endpoints;
      upstream.breaker.limits = view.breaker;
      return upstream;
    });
    for (const gone of before.values()) {
      if (gone.inFlight > 0) this.leaving.add(gone);
      this.#tools.activity.add(gone);
    }
    for (const upstream of this.#upstreams) this.#tools.activity.add(upstream);
  }

  /** The fast path: an instance that may be picked now, or undefined. Never waits. */
  acquire({ port, prefer, avoid }: LeaseWish): Lease | undefined {
    const upstream = this.#choose(prefer, avoid);
    const endpoint = upstream?.endpoint(port);
    if (!upstream || !endpoint) return undefined;
    upstream.breaker.begin();
    upstream.inFlight += 1;
    this.#tools.activity.add(upstream);
    return new Lease(upstream, endpoint, this.#release);
  }

  /** Asks for the service to be woken and waits until it is. @throws WakeFailed, DispatchError */
  wait(signal: AbortSignal): Promise<WakeTimings> {
    const shut = this.#allBreakersOpen();
    if (shut) return Promise.reject(shut);
    const limits = { ...this.#view.wake, waitingElsewhere: this.#waitingElsewhere };
    const admitted = this.#room.enter(limits, signal);
    if (!this.#waking && this.#room.waiting > 0) void this.#wake();
    return admitted;
  }

  /** Takes over what another proxy process learnt about an instance. */
  learn(instanceId: string, verdict: Verdict): void {
    this.#upstreams.find(({ id }) => id === instanceId)?.breaker.learn(verdict);
  }

  /** Sends away all who wait: the proxy ends. */
  turnAway(): void {
    const message = `the proxy ends before ${this.name} is awake; come back in a moment`;
    this.#room.turnAway(new DispatchError('draining', this.name, message));
  }

  /** The service has left the manifest. */
  close(): void {
    this.apply({ ...this.#view, upstreams: [] });
    this.#room.turnAway(new DispatchError('no_upstream', this.name, `${this.name} is no longer in the manifest`));
  }

  /** Once, however many come or leave together. */
  #tellWaiting(): void {
    if (this.#tellingWaiting) return;
    this.#tellingWaiting = true;
    queueMicrotask(() => {
      this.#tellingWaiting = false;
      this.#tools.link.reportWaiting({ service: this.name, waiting: this.#room.waiting });
    });
  }

  async #wake(): Promise<void> {
    this.#waking = true;
    try {
      const timings = await this.#tools.link.wake(this.name);
      this.#waking = false;
      this.#room.admit(timings);
    } catch (error) {
      this.#waking = false;
      this.#room.turnAway(error instanceof Error ? error : new Error(String(error)));
    }
  }

  #choose(prefer: string | undefined, avoid: string | undefined): Upstream | undefined {
    const upstreams = this.#upstreams;
    if (upstreams.length === 1) {
      const only = upstreams[0];
      return only && only.breaker.available ? only : undefined;
    }
    const available = upstreams.filter(({ breaker }) => breaker.available);
    const preferred = prefer === undefined ? undefined : available.find(({ id }) => id === prefer);
    if (preferred && preferred.id !== avoid) return preferred;
    const others = available.length > 1 ? available.filter(({ id }) => id !== avoid) : available;
    this.#turn = (this.#turn + 1) % Number.MAX_SAFE_INTEGER;
    return pick(this.#view.balance, others, this.#turn, this.#tools.random);
  }

  #allBreakersOpen(): DispatchError | undefined {
    if (this.#upstreams.length === 0 || this.#upstreams.some(({ breaker }) => breaker.available)) return undefined;
    const retryAfterMs = Math.min(...this.#upstreams.map(({ breaker }) => breaker.retryAfterMs));
    const message = `${this.name} failed its last requests; it is tried again in ${Math.ceil(retryAfterMs / 1000)} s`;
    return new DispatchError('breaker_open', this.name, message, retryAfterMs);
  }

  #breakerFor(instanceId: string): CircuitBreaker {
    const { clock, link } = this.#tools;
    const subject = { service: this.name, instanceId };
    return new CircuitBreaker(clock, this.#view.breaker, {
      onChange: (open) => link.reportBreaker({ ...subject, open }),
      onVerdict: (verdict) => link.reportVerdict({ ...subject, verdict }),
    });
  }
}
