import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import { afterEach, vi } from 'vitest';
import { SystemClock } from '../../../src/lib/clock.ts';
import { DataHalf, type DataHalfOptions } from '../../../src/proxy/data-half.ts';
import type { ControlLink } from '../../../src/seam/control-link.ts';
import type { FleetUpdate, ServiceView } from '../../../src/seam/fleet-view.ts';
import { TestAuthority } from '../test-certificate.ts';

/** A control half that does what a test says; the view changes by `show` only. */
class ScriptedLink implements ControlLink {
  readonly wake = vi.fn<ControlLink['wake']>(() => Promise.resolve({ totalMs: 0 }));
  readonly suspect = vi.fn<ControlLink['suspect']>(() => Promise.resolve());
  away = false;
  readonly untilBack = vi.fn<ControlLink['untilBack']>(() => Promise.resolve());
  readonly reportVerdict = vi.fn<ControlLink['reportVerdict']>();
  readonly reportWaiting = vi.fn<ControlLink['reportWaiting']>();
  readonly reportSessions = vi.fn<ControlLink['reportSessions']>();
  readonly reportTraffic = vi.fn<ControlLink['reportTraffic']>(() => Promise.resolve());
  readonly reportSeen = vi.fn<ControlLink['reportSeen']>();
  readonly onPeerNews = vi.fn<ControlLink['onPeerNews']>(() => () => undefined);
  readonly reportBreaker = vi.fn<ControlLink['reportBreaker']>();
  /** In flight by instance, as reported last; absent before the first that was. */
  readonly inFlight = new Map<string, number>();
  readonly #services: readonly ServiceView[];
  #listener: ((update: FleetUpdate) => void) | undefined;
  #version = 1;

  constructor(services: readonly ServiceView[]) {
    this.#services = services;
  }

  subscribe(listener: (update: FleetUpdate) => void): () => void {
    this.#listener = listener;
    listener({ version: this.#version, complete: true, services: this.#services, removed: [] });
    return () => (this.#listener = undefined);
  }

  show(...services: ServiceView[]): void {
    this.update({ services });
  }

  update({ services = [], removed = [] }: Partial<Pick<FleetUpdate, 'services' | 'removed'>>): void {
    this.#version += 1;
    this.#listener?.({ version: this.#version, complete: false, services, removed });
  }

  reportActivity(reports: Parameters<ControlLink['reportActivity']>[0]): void {
    for (const { instanceId: id, inFlight } of reports) {
      if (inFlight > 0 || this.inFlight.has(id)) this.inFlight.set(id, inFlight);
    }
  }
}

export interface OpenDataHalf {
  readonly link: ScriptedLink;
  /** What a TLS client needs to connect. */
  readonly client: { host: string; port: number; ca: string; servername: string };
}

/** Gives a function that opens the whole data half on a port that the system chooses; closed after the test. */
export function dataHalfSetUp(): (
  services: readonly ServiceView[],
  options?: Partial<DataHalfOptions>,
) => Promise<OpenDataHalf> {
  const open: DataHalf[] = [];
  afterEach(async () => {
    for (const dataHalf of open.splice(0)) await dataHalf.close(0);
  });
  return async (services, options = {}) => {
    const authority = await TestAuthority.make();
    const pair = await authority.issue(['app.test', '*.app.test']);
    const context = createSecureContext(pair);
    const link = new ScriptedLink(services);
    const dataHalf = new DataHalf({
      ...{
        link,
        clock: new SystemClock(),
        log: pino({ level: 'silent' }),
        development: false,
        manifest: 'manifest.ts',
      },
      certificates: {
        contextFor: () => context,
        defaultMaterial: () => pair,
        onChange: () => () => undefined,
        sameCertificate: () => true,
      },
      ...{ address: '127.0.0.1', httpsPort: 0, httpPort: undefined, trustedProxies: [], accessLog: 'off' },
      admin: { host: 'proxy.app.test', endpoint: { host: '/nowhere', port: 0 } },
      ...{ affinitySecret: Buffer.alloc(32, 1), ticketKeys: Buffer.alloc(48, 2) },
      ...{ listenerLimits: {}, forwardLimits: { tickMs: 10 }, notice: () => undefined },
      ...options,
    });
    open.push(dataHalf);
    const { https } = await dataHalf.start();
    return { link, client: { host: '127.0.0.1', port: https.port, ca: authority.ca, servername: 'app.test' } };
  };
}
