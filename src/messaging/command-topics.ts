import type { Fleet } from '../fleet/fleet.ts';
import { replicasOf } from '../fleet/member.ts';
import type { Service } from '../fleet/service/service.ts';
import type { Clock } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';
import type { IncomingMessage } from './broker-connection.ts';
import { parseCommand, type Command } from './command.ts';
import { answerTopicProblem } from './answer-topic.ts';
import type { MqttService } from './mqtt-service.ts';
import { SharedCommands } from './shared-commands.ts';
import type { Speaker } from './speaker.ts';
import type { CommandName, Topics } from './topics.ts';

/** As many a minute as the management API takes from one token; what comes beyond is not even read. */
const perMinute = 100;
const minuteMs = 60_000;
/** A name can be as long as a topic; nobody needs to read it all. */
const shownNameLength = 64;
const LATE = 'The daemon that had taken this command has ended, and perhaps before it was done: ask again if need be.';

export interface CommandTools {
  readonly mqtt: MqttService;
  readonly topics: Topics;
  readonly fleet: Pick<Fleet, 'managed'>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of several daemons one does what is said to all of them; absent where there cannot be several. */
  readonly shared?: { readonly project: string; readonly speaker: Speaker };
}

interface Asked {
  readonly service: string;
  readonly command: CommandName;
}

/**
 * Takes commands from whoever the broker lets publish them. A command is for now: those that the broker retains are
 * ignored, and so are those that come while there is no connection.
 */
export class CommandTopics {
  readonly #tools: CommandTools;
  readonly #shared: SharedCommands | undefined;
  #unsubscribe: (() => void) | undefined;
  #minuteStartedMs = -Infinity;
  #inThisMinute = 0;

  constructor(tools: CommandTools) {
    this.#tools = tools;
    const { shared } = tools;
    this.#shared = shared && new SharedCommands({ ...tools, ...shared }, (message, late) => this.#take(message, late));
  }

  /** MQTT_COMMANDS, which may change while the daemon runs. */
  accept(accepting: boolean): void {
    if (accepting === (this.#unsubscribe !== undefined)) return;
    this.#unsubscribe?.();
    if (accepting) this.#shared?.start();
    else this.#shared?.stop();
    const { mqtt, topics } = this.#tools;
    const subscription = { filter: topics.commands, retained: false };
    this.#unsubscribe = accepting ? mqtt.subscribe(subscription, (message) => this.#hear(message)) : undefined;
  }

  #hear(message: IncomingMessage): void {
    const asked = this.#tools.topics.parseCommandTopic(message.topic);
    if (!asked || !this.#allowed()) return;
    if (message.retain) {
      const shown = asked.service.slice(0, shownNameLength);
      this.#tools.log.warn({ service: shown }, `a retained ${asked.command} command is ignored: publish it unretained`);
    } else if (this.#shared) this.#shared.hear(message);
    else void this.#take(message, false);
  }

  /** Never rejects. */
  async #take(message: IncomingMessage, late: boolean): Promise<void> {
    const asked = this.#tools.topics.parseCommandTopic(message.topic);
    if (!asked) return;
    try {
      if (late) throw new CodedError('command_interrupted', LATE);
      this.#answer(asked, message, { ok: true, ...(await this.#obey(asked, message)) });
    } catch (error) {
      this.#refuse(asked, message, error);
    }
  }

  #allowed(): boolean {
    const now = this.#tools.clock.now();
    if (now - this.#minuteStartedMs >= minuteMs) {
      this.#minuteStartedMs = now;
      this.#inThisMinute = 0;
    }
    this.#inThisMinute += 1;
    if (this.#inThisMinute === perMinute + 1) {
      this.#tools.log.warn(`more than ${perMinute} MQTT commands in a minute: the rest of them is ignored`);
    }
    return this.#inThisMinute <= perMinute;
  }

  async #obey(
    { service: name, command: topic }: Asked,
    { payload }: IncomingMessage,
  ): Promise<Record<string, unknown>> {
    const command = parseCommand(topic, payload);
    const service = this.#tools.fleet.managed(name.slice(0, shownNameLength));
    this.#tools.log.info({ service: name }, `${name}: ${command.kind} asked over MQTT`);
    const outcome = await run(service, command);
    return { status: service.status, replicas: replicasOf(service), ...outcome };
  }

  #refuse(asked: Asked, message: IncomingMessage, error: unknown): void {
    const code = error instanceof CodedError ? error.code : 'internal';
    const [service, detail] = [asked.service.slice(0, shownNameLength), messageOf(error)];
    this.#tools.log.warn({ service, code }, `the MQTT command ${asked.command} came to nothing: ${detail}`);
    this.#answer(asked, message, { ok: false, code, detail });
  }

  #answer({ service, command }: Asked, message: IncomingMessage, result: Record<string, unknown>): void {
    const { responseTopic, correlationData } = message;
    if (responseTopic === undefined) return;
    const { mqtt, topics, log } = this.#tools;
    const problem = answerTopicProblem(responseTopic, topics);
    if (problem !== undefined) {
      log.warn({ service: service.slice(0, shownNameLength) }, `an MQTT command gets no answer: ${problem}`);
      return;
    }
    const payload = JSON.stringify({ service: service.slice(0, shownNameLength), command, ...result });
    const correlated = correlationData === undefined ? {} : { correlationData };
    mqtt.send({ topic: responseTopic, payload, retain: false, ...correlated });
  }
}

async function run(service: Service, command: Command): Promise<Record<string, unknown>> {
  switch (command.kind) {
    case 'wake':
      return { timings: await service.wake('operator') };
    case 'sleep':
      return { asleep: await service.sleep('operator', command.strategy) };
    case 'scale':
      await service.scale(command.replicas);
      return {};
  }
}
