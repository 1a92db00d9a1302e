import type { FrontAddress } from './front-address.ts';
import { ReveilleFront } from '../conformance/fronts/reveille-front.ts';
import type { Certificate } from '../conformance/rig/certificate.ts';
import type { OpenFront } from '../conformance/rig/front.ts';
import { hosts } from './hosts.ts';
import { CaseBook } from './upstreams/case-book.ts';
import { H2cUpstream } from './upstreams/h2c-upstream.ts';
import { Http1Upstream } from './upstreams/http1-upstream.ts';
import { TunnelUpstream } from './upstreams/tunnel-upstream.ts';

/** The front with all upstreams behind it, from an empty start. */
export class Stage {
  readonly book = new CaseBook();
  readonly #http1 = new Http1Upstream(this.book);
  readonly #h2c = new H2cUpstream(this.book);
  readonly #tunnel = new TunnelUpstream(this.book);
  readonly #certificate: Certificate;
  #front: OpenFront | undefined;

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
  }

  /** How clients reach the front. */
  async open(): Promise<FrontAddress> {
    await Promise.all([this.#http1.server.start(), this.#h2c.server.start(), this.#tunnel.start()]);
    const front = new ReveilleFront([
      { host: hosts['2'], port: this.#h2c.server.endpoint.port, protocol: 'h2c' },
      { host: hosts.tunnel, port: this.#tunnel.port, protocol: 'http' },
    ]);
    const upstreamPort = this.#http1.server.port;
    this.#front = await front.open({ upstreamPort, settings: {}, certificate: this.#certificate });
    return { host: '127.0.0.1', port: this.#front.port, ca: this.#certificate.ca, servername: hosts['1.1'] };
  }

  /** What the upstreams were sent that a strict server does not understand, or that nobody had planned. */
  get faults(): readonly string[] {
    return [...this.#http1.server.faults, ...this.book.strangers];
  }

  /** Connections and streams to upstreams that the front has not left; it closes idle connections within seconds. */
  get connectionsInUse(): number {
    return this.#http1.server.open + this.#tunnel.open + this.#h2c.openStreams;
  }

  async close(): Promise<void> {
    await this.#front?.close();
    await Promise.all([this.#http1.server.close(), this.#h2c.server.close(), this.#tunnel.close()]);
  }
}
