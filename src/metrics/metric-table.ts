/** What is measured in, for people; names say it too, as Prometheus wants them to. */
type Unit = 'requests' | 'seconds' | 'instances' | 'ratio' | 'bytes' | 'messages' | 'times' | '0 or 1';

export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly unit: Unit;
  /** One line for whoever looks at the numbers. */
  readonly help: string;
}

export const PREFIX = 'reveille_';

/** Every metric there is, by its name without the prefix. docs/METRICS.md is held to it by a test. */
export const METRICS = {
  requests_total: {
    ...{ type: 'counter', labels: ['service', 'method', 'status'], unit: 'requests' },
    help: 'Requests that have ended, by the status that the client was sent.',
  },
  request_duration_seconds: {
    ...{ type: 'histogram', labels: ['service', 'method', 'status'], unit: 'seconds' },
    help: 'From the head of a request to the end of its answer, waiting for a wake included.',
  },
  in_flight: {
    ...{ type: 'gauge', labels: ['service'], unit: 'requests' },
    help: 'Requests, streams and WebSockets open now.',
  },
  waiting: {
    ...{ type: 'gauge', labels: ['service'], unit: 'requests' },
    help: 'Requests that wait for the service to wake.',
  },
  shed_total: {
    ...{ type: 'counter', labels: ['service', 'reason'], unit: 'requests' },
    help: 'Requests that were sent away without an instance having seen them.',
  },
  upstream_errors_total: {
    ...{ type: 'counter', labels: ['service', 'kind'], unit: 'times' },
    help: 'Failed attempts to have a request answered by an instance.',
  },
  retries_total: {
    ...{ type: 'counter', labels: ['service'], unit: 'requests' },
    help: 'Requests that were sent a second time after the first attempt had failed.',
  },
  wakes_total: {
    ...{ type: 'counter', labels: ['service', 'result'], unit: 'times' },
    help: 'Wakes of a service that did not serve, by what came of them.',
  },
  wake_duration_seconds: {
    ...{ type: 'histogram', labels: ['service', 'phase'], unit: 'seconds' },
    help: 'How long wakes took until the service served, in all (total) and by phase.',
  },
  sleeps_total: {
    ...{ type: 'counter', labels: ['service', 'strategy'], unit: 'times' },
    help: 'How often a service fell asleep.',
  },
  instances: {
    ...{ type: 'gauge', labels: ['service', 'state'], unit: 'instances' },
    help: 'Instances by state; a state that none is in is absent, but for ready.',
  },
  cpu_ratio: {
    ...{ type: 'gauge', labels: ['service', 'instance'], unit: 'ratio' },
    help: 'CPU that an instance uses, of what it may use; absent for one that does not run.',
  },
  memory_bytes: {
    ...{ type: 'gauge', labels: ['service', 'instance'], unit: 'bytes' },
    help: 'Memory that an instance uses; absent for one that does not run.',
  },
  breaker_state: {
    ...{ type: 'gauge', labels: ['service', 'instance'], unit: '0 or 1' },
    help: 'Whether any proxy process has the circuit breaker of an instance open.',
  },
  mqtt_connected: {
    ...{ type: 'gauge', labels: [], unit: '0 or 1' },
    help: 'Whether the MQTT broker is connected.',
  },
  mqtt_dropped_total: {
    ...{ type: 'counter', labels: [], unit: 'messages' },
    help: 'MQTT messages that were given up because the broker was away for too long.',
  },
  store_connected: {
    ...{ type: 'gauge', labels: [], unit: '0 or 1' },
    help: 'Whether the store of state takes what it is given.',
  },
  event_loop_lag_seconds: {
    ...{ type: 'gauge', labels: ['process'], unit: 'seconds' },
    help: 'By how much a timer came late, the worst of the last 15 seconds.',
  },
} as const satisfies Record<string, MetricDefinition>;

export type MetricName = keyof typeof METRICS;
