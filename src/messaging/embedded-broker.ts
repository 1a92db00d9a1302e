import { once, type EventEmitter } from 'node:events';
import net from 'node:net';
import { Aedes, type AedesPublishPacket, type Client, type ConnectPacket, type PublishPacket } from 'aedes';
import { sleep, type Clock } from '../lib/clock.ts';
import { CodedError, messageOf } from '../lib/coded-error.ts';
import type { Logger } from '../lib/logger.ts';

const host = '127.0.0.1';
const maxConnections = 200;
const maxPayloadBytes = 1_048_576;
/** Of retained topics and payloads together: who sends more is cut off. Ten thousand services fill a tenth of it. */
const maxRetainedBytes = 134_217_728;
/** What a topic takes besides its letters and its payload, about. */
const retainedTopicBytes = 256;
/** A subscriber that takes nothing for this long is cut: what it does not read would pile up here. */
const slowClientMs = 10_000;
const closeMs = 1_000;

export interface EmbeddedBrokerOptions {
  /** MQTT_PORT; 0 = one that the system chooses. */
  readonly port: number;
  /** How many ports above `port` may be taken instead: 20 in development, 0 in production. */
  readonly fallbackPorts: number;
  readonly clock: Clock;
  readonly log: Logger;
}

/** An MQTT 3.1.1 broker in this process, for this machine only, that remembers retained messages until the process ends. */
export class EmbeddedBroker {
  readonly #options: EmbeddedBrokerOptions;
  readonly #sockets = new Set<net.Socket>();
  /** How many bytes each retained topic takes. */
  readonly #retained = new Map<string, number>();
  #retainedBytes = 0;
  #aedes: Aedes | undefined;
  #server: net.Server | undefined;
  #port: number | undefined;

  constructor(options: EmbeddedBrokerOptions) {
    this.#options = options;
  }

  /** Where it listens: `mqtt://127.0.0.1:1883`. */
  get url(): string {
    if (this.#port === undefined)
      throw new CodedError('broker_not_started', 'The embedded MQTT broker is not started.');
    return `mqtt://${host}:${this.#port}`;
  }

  /** @throws CodedError `mqtt_port_unavailable` when no port may be taken */
  async start(): Promise<void> {
    if (this.#server) return;
    const aedes = await this.#createAedes();
    const server = net.createServer((socket) => this.#accept(aedes, socket));
    server.maxConnections = maxConnections;
    server.on('drop', () => this.#options.log.debug('the embedded MQTT broker is full and refused a connection'));
    try {
      this.#port = await this.#listen(server);
    } catch (error) {
      aedes.close();
      throw error;
    }
    server.on('error', (error) => this.#options.log.warn({ err: error }, 'the embedded MQTT broker failed'));
    this.#aedes = aedes;
    this.#server = server;
  }

  /** Ends all connections; never takes longer than a second. */
  async close(): Promise<void> {
    const [aedes, server] = [this.#aedes, this.#server];
    this.#aedes = this.#server = this.#port = undefined;
    if (!aedes || !server) return;
    const closed = new Promise<void>((resolve) => server.close(() => resolve()));
    const ended = new Promise<void>((resolve) => aedes.close(() => resolve()));
    await Promise.race([ended, sleep(this.#options.clock, closeMs)]);
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  async #createAedes(): Promise<Aedes> {
    const { log } = this.#options;
    const aedes = await Aedes.createBroker({
      connectTimeout: 10_000,
      drainTimeout: slowClientMs,
      preConnect: withoutQueue,
      authorizePublish: (_client, packet, done) => done(this.#objection(packet)),
    });
    // Its types leave this event out.
    (aedes as EventEmitter).on('error', (error: unknown) =>
      log.warn({ err: error }, 'the embedded MQTT broker failed'),
    );
    const onClientError = (client: Client, error: Error): void =>
      log.debug({ client: client.id, reason: error.message }, 'a client of the embedded MQTT broker failed');
    aedes.on('clientError', onClientError);
    aedes.on('connectionError', onClientError);
    return aedes;
  }

  #accept(aedes: Aedes, socket: net.Socket): void {
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    this.#sockets.add(socket);
    socket.setNoDelay(true);
    aedes.handle(socket);
  }

  /** Why a message is refused; its sender is cut off. */
  #objection(packet: PublishPacket | AedesPublishPacket): Error | null {
    if (packet.topic.startsWith('$')) return new Error('topics under "$" belong to the broker');
    if (packet.payload.length > maxPayloadBytes) return new Error(`a payload may have ${maxPayloadBytes} bytes`);
    if (!packet.retain) return null;
    const { topic, payload } = packet;
    const bytes = payload.length === 0 ? 0 : retainedTopicBytes + topic.length + payload.length;
    const after = this.#retainedBytes - (this.#retained.get(topic) ?? 0) + bytes;
    if (after > maxRetainedBytes) return new Error(`no more than ${maxRetainedBytes} bytes may be retained`);
    this.#retainedBytes = after;
    if (bytes === 0) this.#retained.delete(topic);
    else this.#retained.set(topic, bytes);
    return null;
  }

  async #listen(server: net.Server): Promise<number> {
    const { port, fallbackPorts, log } = this.#options;
    for (let tried = port; ; tried += 1) {
      try {
        server.listen(tried, host);
        await once(server, 'listening');
        const chosen = (server.address() as net.AddressInfo).port;
        if (port !== 0 && chosen !== port)
          log.warn(`port ${port} is taken: the embedded MQTT broker listens on ${chosen}`);
        return chosen;
      } catch (error) {
        const taken = (error as NodeJS.ErrnoException).code === 'EADDRINUSE';
        if (taken && tried < port + fallbackPorts && tried < 65_535) continue;
        throw new CodedError(
          'mqtt_port_unavailable',
          `The embedded MQTT broker cannot listen on ${host}:${tried}: ${messageOf(error)}. Set MQTT_PORT to a free port, or MQTT_BROKER_URL to a broker that runs already.`,
          { cause: error },
        );
      }
    }
  }
}

/** Every session is a clean one: messages kept for clients that are away have no bound in the broker. */
function withoutQueue(
  _client: Client,
  packet: ConnectPacket,
  done: (error: Error | null, success: boolean) => void,
): void {
  packet.clean = true;
  done(null, true);
}
