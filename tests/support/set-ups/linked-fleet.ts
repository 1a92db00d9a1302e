import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { SystemClock } from '../../../src/lib/clock.ts';
import { LinkClient } from '../../../src/link/link-client.ts';
import { LinkServer } from '../../../src/link/link-server.ts';
import type { ControlFacts } from '../../../src/link/messages.ts';
import type { FleetHarness } from './fleet.ts';
import { FakeDataHalf } from '../fakes/fake-data-half.ts';

/** A data half at the far end of a real socket. */
export interface FarDataHalf {
  readonly client: LinkClient;
  readonly data: FakeDataHalf;
  readonly facts: ControlFacts[];
}

/** Control halves that follow one another at one socket, and the data halves that use it. */
export class LinkedFleet {
  readonly path: string;
  readonly facts: { notice?: string; gateway?: string } = {};
  readonly logged: string[] = [];
  readonly #dir: string;
  readonly #log = pino({ level: 'debug' }, { write: (line) => void this.logged.push(line) });
  readonly #clients: LinkClient[] = [];
  #server: LinkServer | undefined;

  private constructor(dir: string) {
    this.#dir = dir;
    this.path = join(dir, 'link.sock');
  }

  static async make(): Promise<LinkedFleet> {
    return new LinkedFleet(await mkdtemp(join(tmpdir(), 'rv-link-')));
  }

  get server(): LinkServer {
    if (!this.#server) throw new Error('no control half is there');
    return this.#server;
  }

  async serve(harness: FleetHarness): Promise<void> {
    const { path, facts } = this;
    const options = { path, clock: new SystemClock(), log: this.#log };
    this.#server = new LinkServer({ ...options, connect: () => harness.fleet.connect(), facts: () => facts });
    await this.#server.start();
  }

  /** The control process ends; its socket stays behind as after a kill. */
  async hangUp(): Promise<void> {
    await this.#server?.close();
    this.#server = undefined;
  }

  /** Does not wait for the control half to be there. */
  newClient(): FarDataHalf & { readonly started: Promise<void> } {
    const facts: ControlFacts[] = [];
    const onFacts = (told: ControlFacts): void => void facts.push(told);
    const client = new LinkClient({ path: this.path, clock: new SystemClock(), log: this.#log, onFacts });
    this.#clients.push(client);
    return { client, data: new FakeDataHalf(), facts, started: client.start() };
  }

  async join(): Promise<FarDataHalf> {
    const { started, ...far } = this.newClient();
    await started;
    far.data.join(far.client);
    return far;
  }

  async dispose(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.hangUp();
    await rm(this.#dir, { recursive: true, force: true });
  }
}
