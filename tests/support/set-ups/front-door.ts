import { pino } from 'pino';
import type { ClientExchange } from '../../../src/proxy/exchange/client-exchange.ts';
import type { Http1UpgradeExchange } from '../../../src/proxy/exchange/http1-upgrade-exchange.ts';
import { Listener, type CertificateSource } from '../../../src/proxy/listen/listener.ts';
import type { ListenerLimits } from '../../../src/proxy/listen/listener-limits.ts';
import type { Refusal } from '../../../src/proxy/listen/refusal.ts';
import { RequestIds } from '../../../src/proxy/listen/request-ids.ts';
import { createSecureContext } from 'node:tls';
import { TestAuthority } from '../test-certificate.ts';

export interface FrontDoorOptions {
  readonly limits?: Partial<ListenerLimits>;
  readonly certificates?: CertificateSource;
  readonly trusted?: (address: string) => boolean;
  onExchange?(exchange: ClientExchange): void;
  onUpgrade?(exchange: Http1UpgradeExchange): void;
}

/** A listener on a port that the system chose, which notes what comes through it and answers 200 unless told otherwise. */
export class FrontDoor {
  readonly listener: Listener;
  readonly ca: string;
  readonly exchanges: ClientExchange[] = [];
  readonly refusals: Refusal[] = [];

  private constructor(options: FrontDoorOptions, certificates: CertificateSource, ca: string) {
    this.ca = ca;
    const trusted = options.trusted ?? (() => false);
    this.listener = new Listener({
      certificates,
      requestIds: new RequestIds(trusted),
      log: pino({ level: 'silent' }),
      trusted,
      limits: options.limits ?? {},
      handlers: {
        onExchange: (exchange) => {
          this.exchanges.push(exchange);
          if (options.onExchange === undefined) exchange.respond(200, [], `${exchange.host} ${exchange.target}`);
          else options.onExchange(exchange);
        },
        onUpgrade: (exchange) => {
          this.exchanges.push(exchange);
          if (options.onUpgrade === undefined) exchange.respond(200, [], 'no upgrade');
          else options.onUpgrade(exchange);
        },
        onRefused: (refusal) => this.refusals.push(refusal),
      },
    });
  }

  static async open(options: FrontDoorOptions = {}): Promise<FrontDoor> {
    const authority = await TestAuthority.make();
    const pair = await authority.issue(['app.test', '*.app.test', '127.0.0.1']);
    const context = createSecureContext(pair);
    const fixed: CertificateSource = {
      contextFor: () => context,
      defaultMaterial: () => pair,
      onChange: () => () => undefined,
    };
    const door = new FrontDoor(options, options.certificates ?? fixed, authority.ca);
    await door.listener.listen('127.0.0.1', 0);
    return door;
  }

  get port(): number {
    return this.listener.port;
  }

  /** What a TLS client needs to connect. */
  get client(): { host: string; port: number; ca: string; servername: string } {
    return { host: '127.0.0.1', port: this.port, ca: this.ca, servername: 'app.test' };
  }

  close(): Promise<void> {
    return this.listener.close();
  }
}
