import { createHash } from 'node:crypto';
import type { Clock } from '../lib/clock.ts';
import type { IncomingMessage } from './broker-connection.ts';
import type { MqttService } from './mqtt-service.ts';
import type { Speaker } from './speaker.ts';
import type { Topics } from './topics.ts';

export interface SharedCommandsTools {
  readonly mqtt: Pick<MqttService, 'send' | 'subscribe' | 'onConnection'>;
  readonly topics: Topics;
  readonly project: string;
  readonly clock: Clock;
  readonly speaker: Pick<Speaker, 'speaks' | 'current' | 'deaf' | 'isOnline' | 'onTurn'>;
}

interface Held {
  readonly message: IncomingMessage;
  readonly digest: string;
  readonly atMs: number;
  /** Whose it is; undefined = nobody spoke when it came. */
  readonly by: string | undefined;
}

/** What is to become of a command: it is carried out, or, when it came too long ago, only answered. */
type Take = (message: IncomingMessage, late: boolean) => Promise<void>;

/** A command is for now. */
const LATE_MS = 15_000;
const FORGOTTEN_MS = 600_000;
const MAX_HELD = 200;

/**
 * Commands that several daemons hear: the one that speaks carries them out and says when it is done. The others hold each
 * until then; should the speaker go before that, the next one carries out what it had left.
 */
export class SharedCommands {
  readonly #tools: SharedCommandsTools;
  readonly #take: Take;
  #held: Held[] = [];
  readonly #ends: (() => void)[] = [];

  constructor(tools: SharedCommandsTools, take: Take) {
    this.#tools = tools;
    this.#take = take;
    tools.speaker.onTurn(() => this.#inherit());
  }

  start(): void {
    const { mqtt, topics, project } = this.#tools;
    const done = { filter: topics.commandsDone(project), retained: false, optional: true };
    this.#ends.push(
      mqtt.subscribe(done, ({ payload }) => this.#hearDone(payload)),
      // What becomes of them cannot be heard any more.
      mqtt.onConnection(() => (this.#held = [])),
    );
  }

  stop(): void {
    this.#held = [];
    for (const end of this.#ends.splice(0)) end();
  }

  hear(message: IncomingMessage): void {
    const { clock, speaker } = this.#tools;
    const held = { message, digest: digestOf(message), atMs: clock.now(), by: speaker.current };
    if (speaker.speaks) this.#carryOut(held);
    else if (!speaker.deaf) this.#hold(held);
  }

  #hold(held: Held): void {
    const { clock } = this.#tools;
    this.#held = this.#held.filter(({ atMs }) => clock.now() - atMs < FORGOTTEN_MS).slice(1 - MAX_HELD);
    this.#held.push(held);
  }

  /** This daemon speaks, and those that had taken something before it may have gone. */
  #inherit(): void {
    const { speaker } = this.#tools;
    if (!speaker.speaks || this.#held.length === 0) return;
    const left = this.#held.filter(({ by }) => by === undefined || !speaker.isOnline(by));
    this.#held = this.#held.filter((each) => !left.includes(each));
    for (const each of left) this.#carryOut(each);
  }

  #carryOut({ message, digest, atMs }: Held): void {
    const { mqtt, topics, project, clock } = this.#tools;
    void this.#take(message, clock.now() - atMs > LATE_MS).then(() =>
      mqtt.send({ topic: topics.commandsDone(project), payload: digest, retain: false }),
    );
  }

  #hearDone(payload: Buffer): void {
    const digest = payload.toString('latin1');
    const index = this.#held.findIndex((each) => each.digest === digest);
    if (index >= 0) this.#held.splice(index, 1);
  }
}

function digestOf({ topic, payload, responseTopic, correlationData }: IncomingMessage): string {
  const parts = [topic, payload.toString('hex'), responseTopic, correlationData?.toString('hex')];
  return createHash('sha256').update(JSON.stringify(parts)).digest('base64url');
}
