import { mkdtemp, rm } from 'node:fs/promises';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Manifest, ServiceSpec } from '../../../src/config/service-spec.ts';
import type { RefusedEdit } from '../../../src/config/refused-edit.ts';
import { EventBus } from '../../../src/fleet/event-bus.ts';
import { Fleet } from '../../../src/fleet/fleet.ts';
import { Registry } from '../../../src/fleet/records/registry.ts';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { ManagementOptions, MqttState } from '../../../src/management/management-tools.ts';
import { ManagementServer } from '../../../src/management/server.ts';
import { NetworkProber } from '../../../src/probes/network-prober.ts';
import { FakeRuntime } from '../fakes/fake-runtime.ts';
import { FakeStore } from '../fakes/fake-store.ts';

export const ADMIN_HOST = 'proxy.alkimia.localhost';
export const TOKEN = 'the-token-of-the-tests-0123456789';

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  /** The body, parsed; fails the test when it is no JSON. */
  // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- the test says what it expects
  json<T = Record<string, unknown>>(): T;
}

export interface Ask {
  readonly method?: string;
  readonly body?: unknown;
  /** Laid over the defaults (Host and token); undefined takes one away. */
  readonly headers?: Readonly<Record<string, string | undefined>>;
}

/** A management server on a socket of its own, over a real fleet whose runtime and store are in memory. */
export class TestManagement {
  readonly stateDir: string;
  readonly runtime = new FakeRuntime({ listen: true });
  readonly store = new FakeStore();
  readonly clock = new SystemClock();
  readonly bus: EventBus;
  readonly fleet: Fleet;
  readonly server: ManagementServer;
  readonly mqtt: { -readonly [Field in keyof MqttState]: MqttState[Field] } = {
    condition: { up: true },
    dropped: 0,
    kind: 'embedded',
    url: 'mqtt://127.0.0.1:1883',
  };
  token = TOKEN;
  notice: string | undefined;
  refusedEdits: readonly RefusedEdit[] = [];

  private constructor(stateDir: string, options: Partial<ManagementOptions>) {
    const log = pino({ level: 'silent' });
    const { clock, runtime, store } = this;
    this.stateDir = stateDir;
    this.bus = new EventBus(clock, log);
    this.fleet = new Fleet({
      checks: (check) => check(),
      ...{ runtime, clock, log, bus: this.bus },
      prober: new NetworkProber(),
      registry: new Registry({ store, clock, log, proxyId: 'test' }),
      observers: [],
      drainTimeoutMs: () => 200,
      showLogs: true,
    });
    this.server = new ManagementServer({
      ...{ fleet: this.fleet, store, clock, log, bus: this.bus, socketPath: this.socketPath, adminHost: ADMIN_HOST },
      mqttState: () => this.mqtt,
      metrics: () => Promise.resolve({ contentType: 'text/plain', text: '' }),
      token: () => this.token,
      publicUrl: (host) => `https://${host}:8443`,
      development: true,
      runtimeNotice: () => this.notice,
      refusedEdits: () => this.refusedEdits,
      ...options,
    });
  }

  static async start(specs: readonly ServiceSpec[], options: Partial<ManagementOptions> = {}): Promise<TestManagement> {
    const made = new TestManagement(await mkdtemp(join(tmpdir(), 'reveille-mgmt-')), options);
    const manifest: Manifest = new Map(specs.map((spec) => [spec.name, spec]));
    await made.store.start();
    await made.fleet.load(manifest);
    await made.server.start();
    await made.fleet.start();
    return made;
  }

  get socketPath(): string {
    return join(this.stateDir, 'control.sock');
  }

  async close(): Promise<void> {
    await this.server.close();
    await this.fleet.close();
    await rm(this.stateDir, { recursive: true, force: true });
  }

  async ask(path: string, options: Ask = {}): Promise<Answer> {
    const response = await this.open(path, options);
    let text = '';
    for await (const chunk of response.setEncoding('utf8')) text += String(chunk);
    const { statusCode = 0, headers } = response;
    // eslint-disable-next-line @typescript-eslint/no-unnecessary-type-parameters -- as above
    return { status: statusCode, headers, text, json: <T>() => JSON.parse(text) as T };
  }

  post(path: string, body?: unknown, headers: Ask['headers'] = {}): Promise<Answer> {
    return this.ask(path, { method: 'POST', body, headers });
  }

  /** What a browser that has signed in sends. */
  async login(token = TOKEN): Promise<{ authorization: undefined; cookie: string; origin: string }> {
    const anonymous = { authorization: undefined, origin: `https://${ADMIN_HOST}` };
    const form = { 'content-type': 'application/x-www-form-urlencoded' };
    const answer = await this.post('/login', `token=${token}`, { ...anonymous, ...form });
    return { ...anonymous, cookie: answer.headers['set-cookie']?.[0]?.split(';')[0] ?? '' };
  }

  /** The response as it comes, for streams. */
  open(path: string, { method = 'GET', body, headers = {} }: Ask = {}, signal?: AbortSignal): Promise<IncomingMessage> {
    const content = body === undefined || typeof body === 'string' ? body : JSON.stringify(body);
    const type = content !== undefined && { 'content-type': 'application/json' };
    const all: Record<string, string | undefined> = {
      host: ADMIN_HOST,
      authorization: `Bearer ${this.token}`,
      ...type,
      ...headers,
    };
    const given = Object.entries(all).filter((entry): entry is [string, string] => entry[1] !== undefined);
    return new Promise((resolve, reject) => {
      const options = { socketPath: this.socketPath, path, method, headers: Object.fromEntries(given), agent: false };
      const sent = request({ ...options, ...(signal && { signal }) }, resolve);
      sent.on('error', reject);
      sent.end(content);
    });
  }
}
