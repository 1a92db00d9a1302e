import type { ServiceSpec } from '../config/service-spec.ts';
import { sleep, type Clock } from '../lib/clock.ts';
import type { WakeTimings } from '../seam/control-link.ts';
import type { Endpoint, Failure, ServiceStatus, ServiceView } from '../seam/fleet-view.ts';
import type { EventBus } from './event-bus.ts';
import type { InstanceView, Member } from './member.ts';
import type { Prober, ProbeResult } from './prober.ts';

export interface ExternalTools {
  readonly prober: Prober;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly publish: (service: ExternalService) => number;
  /** Shared by all services: begins a check when not too many are out. */
  readonly checks: (check: () => Promise<void>) => Promise<void>;
  /** Of several processes that see the same one tells of it. */
  readonly mayTell: () => boolean;
}

interface ExternalUpstream {
  readonly id: string;
  readonly endpoint: Endpoint;
  health: ProbeResult;
  since: number;
}

const WELL: ProbeResult = { ok: true };
const CHECK_EVERY_MS = 5_000;
const CHECK_TIMEOUT_MS = 3_000;

/** A service that somebody else runs (`url`): routed, balanced, health-checked, never woken nor stopped. */
export class ExternalService implements Member {
  readonly name: string;
  readonly #tools: ExternalTools;
  readonly #closed = new AbortController();
  #spec: ServiceSpec;
  #upstreams: ExternalUpstream[] = [];

  constructor(spec: ServiceSpec, tools: ExternalTools) {
    this.name = spec.name;
    this.#spec = spec;
    this.#tools = tools;
    this.#upstreams = this.#upstreamsOf(spec);
  }

  get spec(): ServiceSpec {
    return this.#spec;
  }

  get status(): ServiceStatus {
    return this.#upstreams.every(({ health }) => health.ok) ? 'awake' : 'degraded';
  }

  get desired(): number {
    return this.#upstreams.length;
  }

  get failure(): Failure | undefined {
    const down = this.#upstreams.find(({ health }) => !health.ok);
    if (!down || down.health.ok) return undefined;
    const detail = `${this.name} at ${down.endpoint.host}:${down.endpoint.port} does not answer: ${down.health.reason}`;
    return { code: 'probe_failed', detail, logTail: [], atEpochMs: down.since };
  }

  get instanceViews(): readonly InstanceView[] {
    return this.#upstreams.map(({ id, endpoint, health, since }) => {
      return { id, state: health.ok ? 'ready' : 'unhealthy', since, upstream: `${endpoint.host}:${endpoint.port}` };
    });
  }

  view(): ServiceView {
    const { routes, protocol, balance, sticky, breaker, wake } = this.#spec;
    const healthy = this.#upstreams.filter(({ health }) => health.ok);
    // When none seems well, all are offered: a wrong check must not take the service away.
    const offered = healthy.length > 0 ? healthy : this.#upstreams;
    const ports = new Set(routes.map(({ port }) => port));
    const upstreams = offered.map(({ id, endpoint }) => {
      return { id, endpoints: Object.fromEntries([...ports].map((port) => [port, endpoint])) };
    });
    const base = { name: this.name, status: this.status, routes, upstreams, protocol, balance, sticky, breaker, wake };
    return { ...base, ...(this.failure && { failure: this.failure }) };
  }

  start(): void {
    void this.#keepChecking();
  }

  wake(): Promise<WakeTimings> {
    return Promise.resolve({ totalMs: 0 });
  }

  async verify(): Promise<void> {
    await Promise.all(this.#upstreams.map((upstream) => this.#check(upstream)));
  }

  update(spec: ServiceSpec): Promise<void> {
    this.#spec = spec;
    this.#upstreams = this.#upstreamsOf(spec);
    this.#tools.publish(this);
    return Promise.resolve();
  }

  dispose(): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  close(): void {
    this.#closed.abort();
  }

  async #keepChecking(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await Promise.all(this.#upstreams.map((upstream) => this.#tools.checks(() => this.#check(upstream))));
      await sleep(this.#tools.clock, this.#spec.readiness.intervalMs ?? CHECK_EVERY_MS, signal);
    }
  }

  async #check(upstream: ExternalUpstream): Promise<void> {
    const health = await this.#probe(upstream.endpoint);
    // It may have been edited away, or closed, while the check was out.
    if (!this.#upstreams.includes(upstream) || this.#closed.signal.aborted) return;
    if (health.ok === upstream.health.ok) return;
    upstream.health = health;
    upstream.since = this.#tools.clock.epochMs();
    this.#tools.publish(this);
    if (!this.#tools.mayTell()) return;
    if (health.ok) this.#tools.bus.emit('instance.ready', this.name, { reason: 'recovered' }, upstream.id);
    else this.#tools.bus.emit('instance.unhealthy', this.name, { reason: health.reason }, upstream.id);
  }

  async #probe(endpoint: Endpoint): Promise<ProbeResult> {
    const { strategy } = this.#spec.readiness;
    const attempt = new AbortController();
    const timer = this.#tools.clock.after(CHECK_TIMEOUT_MS, () => attempt.abort());
    try {
      if (strategy.kind === 'tcp') return await this.#tools.prober.tcp(endpoint, attempt.signal);
      const path = strategy.kind === 'http' ? strategy.path : '/';
      const { protocol } = this.#spec;
      return await this.#tools.prober.http(endpoint, path, attempt.signal, undefined, { protocol });
    } finally {
      timer.cancel();
    }
  }

  /** What is new is trusted until its first check; of what stays, we know how it is. */
  #upstreamsOf({ source, name }: ServiceSpec): ExternalUpstream[] {
    const urls = source.kind === 'url' ? source.urls : [];
    return urls.map((text, index) => {
      const endpoint = endpointOf(new URL(text));
      const known = this.#upstreams.find(
        ({ endpoint: { host, port, tls } }) => host === endpoint.host && port === endpoint.port && tls === endpoint.tls,
      );
      const { health = WELL, since = this.#tools.clock.epochMs() } = known ?? {};
      // Never the id of an instance of ours that may still be draining after an edit.
      return { id: `${name}-url-${index + 1}`, endpoint, health, since };
    });
  }
}

function endpointOf({ protocol, hostname, port }: URL): Endpoint {
  const host = hostname.replace(/^\[|\]$/g, '');
  if (protocol === 'https:') return { host, port: Number(port) || 443, tls: true };
  return { host, port: Number(port) || 80 };
}
