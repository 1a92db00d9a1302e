import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { pino } from 'pino';
import { SystemClock } from '../../../src/lib/clock.ts';
import type { ForwardLimits } from '../../../src/proxy/forward/forward-limits.ts';
import { DataHalf } from '../../../src/proxy/data-half.ts';
import type { ListenerLimits } from '../../../src/proxy/listen/listener-limits.ts';
import type { ControlLink } from '../../../src/seam/control-link.ts';
import type { ServiceView } from '../../../src/seam/fleet-view.ts';
import { awakeView, routeView } from '../../support/samples/service-view.ts';
import type { Front, FrontOptions, FrontSettings, OpenFront } from '../rig/front.ts';

/** A service beside the one that every case has. */
export interface OtherService {
  readonly host: string;
  readonly port: number;
  readonly protocol: 'http' | 'h2c';
}

/** The whole data half as the daemon runs it; its control half says that one service is awake. */
export class ReveilleFront implements Front {
  readonly name = 'Reveille';
  readonly http2 = true;
  readonly #others: readonly OtherService[];

  constructor(others: readonly OtherService[] = []) {
    this.#others = others;
  }

  async version(): Promise<string> {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    return (JSON.parse(text) as { version: string }).version;
  }

  async open({ upstreamPort, settings, certificate }: FrontOptions): Promise<OpenFront> {
    const context = createSecureContext(certificate);
    const dataHalf = new DataHalf({
      ...{
        link: linkTo(upstreamPort, this.#others),
        clock: new SystemClock(),
        log: pino({ level: 'silent' }),
        development: false,
        manifest: 'manifest.ts',
      },
      certificates: {
        contextFor: () => context,
        defaultMaterial: () => certificate,
        onChange: () => () => undefined,
        sameCertificate: () => true,
      },
      ...{ address: '127.0.0.1', httpsPort: 0, httpPort: undefined, accessLog: 'all' },
      trustedProxies: settings.trusted === true ? ['127.0.0.1/32'] : [],
      admin: { host: 'proxy.app.test', endpoint: { host: '/nowhere', port: 0 } },
      ...{ affinitySecret: Buffer.alloc(32, 1), ticketKeys: Buffer.alloc(48, 2), notice: () => undefined },
      ...limitsOf(settings),
    });
    const { https } = await dataHalf.start();
    return { port: https.port, ended: () => undefined, close: () => dataHalf.close(0) };
  }
}

function limitsOf({ headTimeoutMs, bodyTimeoutMs, responseTimeoutMs }: FrontSettings): {
  listenerLimits: Partial<ListenerLimits>;
  forwardLimits: Partial<ForwardLimits>;
} {
  const head = headTimeoutMs === undefined ? {} : { headersTimeoutMs: headTimeoutMs, checkEveryMs: 50 };
  const body = bodyTimeoutMs === undefined ? {} : { bodyTimeoutMs, stallTimeoutMs: bodyTimeoutMs };
  const response = responseTimeoutMs === undefined ? {} : { responseTimeoutMs };
  return { listenerLimits: head, forwardLimits: { tickMs: 20, ...body, ...response } };
}

function linkTo(port: number, others: readonly OtherService[]): ControlLink {
  // A breaker that trips would answer in place of the rule that is tried.
  const shared = { breaker: { failures: 1_000, openForMs: 1_000 } };
  const routes = ['app.test', '127.0.0.1'].map((host) => routeView({ host }));
  const services = [
    awakeView({ ...shared, upstreams: upstreamsAt('web', port), routes }),
    ...others.map(({ host, port: at, protocol }) =>
      awakeView({ ...shared, name: host, protocol, upstreams: upstreamsAt(host, at), routes: [routeView({ host })] }),
    ),
  ];
  return {
    subscribe: (listener) => {
      listener({ version: 1, complete: true, services, removed: [] });
      return ignore;
    },
    wake: () => Promise.resolve({ totalMs: 0 }),
    suspect: () => Promise.resolve(),
    reportActivity: ignore,
    reportBreaker: ignore,
    reportSeen: ignore,
    reportVerdict: ignore,
    reportWaiting: ignore,
    reportSessions: ignore,
    reportTraffic: () => Promise.resolve(),
    away: false,
    untilBack: () => Promise.resolve(),
    onPeerNews: () => ignore,
  };
}

function upstreamsAt(name: string, port: number): ServiceView['upstreams'] {
  return [{ id: `${name}-1`, endpoints: { 3000: { host: '127.0.0.1', port } } }];
}

function ignore(): void {
  // Nothing of the fleet changes.
}
