import type { FrontAddress } from '../front-address.ts';
import { BytePeer } from '../../support/wire/byte-peer.ts';
import type { ExchangePlan } from '../plan/exchange-plan.ts';
import { AnswerReader } from './answer-reader.ts';
import type { ClientSaw } from './client-saw.ts';
import { exchangeAlone } from './exchange-alone.ts';
import { exchangePipelined } from './exchange-pipelined.ts';

/** A client that runs one exchange (or several in a pipeline) after another over HTTP/1, on one connection as long as it lasts. */
export class Http1Lane {
  readonly #tls: FrontAddress;
  #peer: BytePeer | undefined;

  constructor(tls: FrontAddress) {
    this.#tls = tls;
  }

  async run(plans: readonly [ExchangePlan, ...ExchangePlan[]]): Promise<ClientSaw[]> {
    const peer = await this.#connected();
    const answers = new AnswerReader(peer, plans);
    const { seen, sentAll } =
      plans.length > 1 ? await exchangePipelined(plans, peer, answers) : await exchangeAlone(plans[0], peer, answers);
    answers.stop();
    const isOld = plans.some(({ client }) => client.http === '1.0');
    if (isOld || !sentAll || !answers.leaveConnectionUsable) this.close();
    return seen;
  }

  close(): void {
    this.#peer?.destroy();
    this.#peer = undefined;
  }

  async #connected(): Promise<BytePeer> {
    if (this.#peer !== undefined && !this.#peer.gone) return this.#peer;
    this.#peer = await BytePeer.tls(this.#tls);
    return this.#peer;
  }
}
