import type { ServiceSpec } from '../../../src/config/service-spec.ts';

/** A service with every default of the contract filled in. */
export function serviceSpec(overrides: Partial<ServiceSpec> = {}): ServiceSpec {
  return {
    name: 'web',
    routes: [],
    source: { kind: 'image', image: 'reveille/fixture:latest', pull: 'missing' },
    port: 3_000,
    publish: [],
    env: {},
    volumes: [],
    labels: {},
    protocol: 'http',
    resources: { cpus: 1, memoryBytes: 512 * 1024 * 1024 },
    readiness: { strategy: { kind: 'auto' } },
    dependsOn: {},
    job: false,
    sleep: { tiers: [{ afterMs: 15 * 60_000, strategy: 'stop' }], unless: {} },
    wake: { timeoutMs: 60_000, maxWaiting: 1_000, page: 'auto', pageAfterMs: 800 },
    scale: { min: 0, max: 1, cooldownMs: 60_000 },
    balance: 'least-in-flight',
    sticky: false,
    breaker: { failures: 5, openForMs: 30_000 },
    monitor: { everyMs: 1_000, forMs: 3_000, cpu: { warn: 60, panic: 80 }, memory: { warn: 80, panic: 95 } },
    ...overrides,
  };
}
