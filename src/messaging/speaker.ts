import { z } from 'zod';
import type { Clock, Timer } from '../lib/clock.ts';
import type { Logger } from '../lib/logger.ts';
import type { IncomingMessage } from './broker-connection.ts';
import type { MqttService } from './mqtt-service.ts';
import type { Topics } from './topics.ts';

export interface SpeakerTools {
  readonly mqtt: Pick<MqttService, 'send' | 'forget' | 'subscribe' | 'onConnection' | 'reconnect'>;
  readonly topics: Topics;
  /** Those who look after the same services have this in common. */
  readonly project: string;
  readonly proxyId: string;
  /** Whether this daemon leads, or (`true`) at least no other is known to. */
  readonly inCharge: (orNobody: boolean) => boolean;
  readonly clock: Clock;
  readonly log: Logger;
}

/** The retained payload of the topic of the claim: who speaks. The higher term counts, and of one term the first. */
const claimForm = z.object({ proxyId: z.string().min(1).max(200), term: z.int().min(1) });
type Claim = z.infer<typeof claimForm>;

/** A broker that does not allow it is told of where it is missed. */
const SHOWN = { retained: true, optional: true };
const LOOK_EVERY_MS = 1_000;
/** Who did not run for so long may have been given up by the broker, and what it hears may be old. */
const FROZEN_MS = 15_000;
/** A broker that has not shown us our own words by then keeps them from us. */
const DEAF_AFTER_MS = 5_000;
const MAX_KNOWN = 1_000;

/**
 * Which of several daemons that look after the same services tells the retained topics that they have in common, and does
 * what is said to all of them. The broker decides: who wants to speak claims it there, all hear all claims in the same
 * order, and nobody speaks before it has heard its own. The daemon that leads claims it whenever another has it; while
 * nobody leads, whoever notices first that the speaker is offline.
 */
export class Speaker {
  readonly #tools: SpeakerTools;
  readonly #listeners = new Set<() => void>();
  readonly #ends: (() => void)[] = [];
  /** The daemons on this broker, of this project or another. */
  readonly #online = new Set<string>();
  /** There is something to tell. */
  #ready = false;
  #connected = false;
  #connectedMs = 0;
  /** The broker has shown us what it retains: our own word came back after it. */
  #settled = false;
  #claim: Claim | undefined;
  #claimedTerm = 0;
  #deaf = false;
  #speaks = false;
  #timer: Timer | undefined;
  #lookedMs = 0;

  constructor(tools: SpeakerTools) {
    this.#tools = tools;
  }

  /** Whether this daemon speaks for all. */
  get speaks(): boolean {
    return this.#speaks && this.#tools.clock.now() - this.#lookedMs < FROZEN_MS;
  }

  /** Which daemon speaks; undefined while nobody does that is there. */
  get current(): string | undefined {
    return this.#claim && this.isOnline(this.#claim.proxyId) ? this.#claim.proxyId : undefined;
  }

  /** The broker keeps the words of the daemons from us: nobody can know who speaks. */
  get deaf(): boolean {
    return this.#deaf;
  }

  isOnline(proxyId: string): boolean {
    return proxyId === this.#tools.proxyId || this.#online.has(proxyId);
  }

  /** Told whenever it may be another one, or one has come or gone. */
  onTurn(listener: () => void): void {
    this.#listeners.add(listener);
  }

  /** To be called before there is a connection. */
  start(): void {
    const { mqtt, topics, project, clock } = this.#tools;
    this.#lookedMs = clock.now();
    this.#ends.push(
      mqtt.subscribe({ ...SHOWN, filter: topics.speaker(project) }, ({ payload }) => this.#hearClaim(payload)),
      mqtt.subscribe({ ...SHOWN, filter: topics.proxyStatuses }, (message) => this.#hearStatus(message)),
      mqtt.onConnection((connected) => this.#connection(connected)),
    );
    this.#lookLater();
  }

  /** From now on it may speak: what runs is known. */
  ready(): void {
    this.#ready = true;
    this.#decide();
  }

  close(): void {
    this.#timer?.cancel();
    for (const end of this.#ends.splice(0)) end();
  }

  #connection(connected: boolean): void {
    const { mqtt, topics, project, clock } = this.#tools;
    this.#connected = connected;
    this.#connectedMs = clock.now();
    // What is believed of a time before is no longer known.
    this.#settled = this.#deaf = false;
    this.#claim = undefined;
    this.#claimedTerm = 0;
    this.#online.clear();
    mqtt.forget(topics.speaker(project));
    this.#decide();
  }

  #hearStatus({ topic, payload, retain }: IncomingMessage): void {
    const { topics, proxyId } = this.#tools;
    const id = topics.parseProxyStatus(topic);
    if (id === undefined) return;
    if (payload.toString() !== 'online') this.#online.delete(id);
    else if (this.#online.size < MAX_KNOWN || id === this.#claim?.proxyId) this.#online.add(id);
    if (id === proxyId && !retain && this.#online.has(id)) this.#settled = true;
    this.#decide();
  }

  #hearClaim(payload: Buffer): void {
    const heard = readClaim(payload);
    if (!heard) return;
    const { proxyId } = this.#tools;
    if (!this.#claim || heard.term > this.#claim.term) this.#claim = heard;
    // The broker retains what came last, and that is not what counts.
    else if (this.#claim.proxyId === proxyId && heard.proxyId !== proxyId) this.#claimNow();
    this.#decide();
  }

  #decide(): void {
    const { inCharge, proxyId } = this.#tools;
    const mine = this.#claim?.proxyId === proxyId;
    this.#deaf = this.#deaf && !this.#claim;
    this.#speaks = this.#connected && (mine || (this.#deaf && inCharge(true)));
    if (this.#ready && this.#connected && this.#settled && !mine && (inCharge(false) || this.current === undefined))
      this.#claimNow();
    for (const listener of this.#listeners) listener();
  }

  #claimNow(): void {
    const { mqtt, topics, project, proxyId } = this.#tools;
    const term = (this.#claim?.term ?? 0) + 1;
    if (term <= this.#claimedTerm) return;
    this.#claimedTerm = term;
    const claim: Claim = { proxyId, term };
    mqtt.send({ topic: topics.speaker(project), payload: JSON.stringify(claim), retain: true });
  }

  #lookLater(): void {
    const { clock, mqtt } = this.#tools;
    this.#timer = clock.after(LOOK_EVERY_MS, () => {
      const frozenMs = clock.now() - this.#lookedMs;
      this.#lookedMs = clock.now();
      this.#lookLater();
      if (this.#connected && frozenMs >= FROZEN_MS) {
        mqtt.reconnect(`this daemon stood still for ${Math.round(frozenMs / 1000)} s`);
        return;
      }
      this.#listenInVain();
      this.#decide();
    });
  }

  #listenInVain(): void {
    const { clock, log, topics, project } = this.#tools;
    if (!this.#connected || this.#claim || this.#deaf || clock.now() - this.#connectedMs < DEAF_AFTER_MS) return;
    this.#deaf = true;
    const needed = `${topics.proxyStatuses} and ${topics.speaker(project)}`;
    log.warn(
      `the MQTT broker does not let this daemon read ${needed}: of several daemons the one that leads tells the status of services, and commands are lost while none does`,
    );
  }
}

function readClaim(payload: Buffer): Claim | undefined {
  if (payload.length > 1_000) return undefined;
  try {
    return claimForm.safeParse(JSON.parse(payload.toString())).data;
  } catch {
    return undefined;
  }
}
