import net from 'node:net';
import tls from 'node:tls';
import mqtt, { MqttClient, type IClientOptions, type IConnackPacket } from 'mqtt';
import type { Clock, Timer } from '../lib/clock.ts';
import { sleep } from '../lib/clock.ts';
import { localhostLookup } from '../lib/localhost-lookup.ts';
import type { BrokerAddress } from './broker-address.ts';
import { explainBrokerFailure } from './broker-failure.ts';
import type { Message } from './outbox.ts';

const connectTimeoutMs = 10_000;
const keepAliveSeconds = 20;
/** A broker that answers pings and acknowledges nothing for this long is left. */
const acknowledgeTimeoutMs = 30_000;
/** How many publications may wait for their acknowledgement; a broker may ask for fewer. */
const ourWindow = 16;

export interface BrokerConnectionOptions {
  readonly address: BrokerAddress;
  /** 5 with an external broker, 4 (3.1.1) with the embedded one. */
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  /** What the broker publishes for us when we are gone without a word. */
  readonly will: Message;
  readonly clock: Clock;
  onUp(): void;
  /** Called once, and nothing after it. */
  onDown(reason: string): void;
}

/** One connection to a broker, from the first byte to the last: what is lost with it is sent again on the next one. */
export class BrokerConnection {
  readonly #options: BrokerConnectionOptions;
  #client: MqttClient | undefined;
  #unacknowledged = 0;
  #window = ourWindow;
  #maximumPacketBytes = Infinity;
  #watchdog: Timer | undefined;
  #lastFailure: unknown;
  #up = false;
  #down = false;

  constructor(options: BrokerConnectionOptions) {
    this.#options = options;
  }

  /** Whether one more message may be published now. */
  get ready(): boolean {
    return this.#up && this.#unacknowledged < this.#window;
  }

  /** Never throws; what goes wrong arrives as `onDown`. */
  open(): void {
    try {
      const client = connect(this.#options);
      this.#client = client;
      // The client swallows stream errors without a code, such as a refused WebSocket upgrade.
      client.stream.on('error', (error: unknown) => (this.#lastFailure = error));
      client.on('error', (error) => (this.#lastFailure = error));
      client.on('disconnect', (packet) => {
        this.#lastFailure = Object.assign(new Error('the broker ended the connection'), { code: packet.reasonCode });
      });
      client.on('connect', (packet) => this.#onConnect(packet));
      client.on('close', () => this.#end());
    } catch (error) {
      this.#lastFailure = error;
      this.#options.clock.after(0, () => this.#end());
    }
  }

  /**
   * Sends a message with QoS 1; to be called only while `ready`. `done` gets undefined when the broker has it, or why
   * it will never have it. It is not called for what is lost with the connection.
   */
  publish(message: Message, done: (refusal: string | undefined) => void): void {
    const bytes = Buffer.byteLength(message.topic) + Buffer.byteLength(message.payload) + 64;
    if (bytes > this.#maximumPacketBytes) {
      const refusal = `it has ${bytes} bytes and the broker takes ${this.#maximumPacketBytes}`;
      queueMicrotask(() => done(refusal));
      return;
    }
    this.#unacknowledged += 1;
    this.#watch();
    this.#client?.publish(message.topic, message.payload, { qos: 1, retain: message.retain }, (error) => {
      if (this.#down) return;
      const refused = error && 'code' in error && typeof error.code === 'number';
      // Every other error is the end of the connection, and `close` follows.
      if (error && !refused) return;
      this.#unacknowledged -= 1;
      this.#watch();
      done(refused ? error.message : undefined);
    });
  }

  /** Publishes the last message, says goodbye so that the will is not sent, and ends; within `withinMs` in any case. */
  async close(last: Message, withinMs: number): Promise<void> {
    const client = this.#client;
    this.#down = true;
    if (client && this.#up) {
      const said = client
        .publishAsync(last.topic, last.payload, { qos: 1, retain: last.retain })
        .then(() => client.endAsync())
        .catch(() => undefined);
      await Promise.race([said, sleep(this.#options.clock, withinMs)]);
    }
    this.#release();
  }

  /** Ends without a word. */
  abort(reason: string): void {
    this.#lastFailure ??= new Error(reason);
    this.#client?.stream.destroy();
  }

  #onConnect({ properties }: IConnackPacket): void {
    if (this.#down) return;
    this.#window = Math.min(ourWindow, properties?.receiveMaximum ?? ourWindow);
    this.#maximumPacketBytes = properties?.maximumPacketSize ?? Infinity;
    this.#lastFailure = undefined;
    this.#up = true;
    this.#options.onUp();
  }

  /** Begins the wait for an acknowledgement anew, or ends it. */
  #watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog =
      this.#unacknowledged === 0
        ? undefined
        : this.#options.clock.after(acknowledgeTimeoutMs, () => this.abort('the broker acknowledges nothing'));
  }

  #end(): void {
    if (this.#down) return;
    this.#down = true;
    this.#release();
    const fallback = this.#up ? 'the broker hung up' : 'the broker hung up before it accepted us';
    this.#options.onDown(this.#lastFailure === undefined ? fallback : explainBrokerFailure(this.#lastFailure));
  }

  #release(): void {
    this.#up = false;
    this.#watchdog?.cancel();
    this.#client?.end(true);
  }
}

function connect({ address, protocolVersion, clientId, will }: BrokerConnectionOptions): MqttClient {
  const options: IClientOptions = {
    protocolVersion,
    clientId,
    clean: true,
    keepalive: keepAliveSeconds,
    connectTimeout: connectTimeoutMs,
    // Whoever opens connections decides when the next one begins; nothing may wait in the client meanwhile.
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: will.retain },
  };
  const { scheme, host, port, path } = address;
  if (scheme === 'ws' || scheme === 'wss') {
    const hostname = host.includes(':') ? `[${host}]` : host;
    const wsOptions = { lookup: localhostLookup, handshakeTimeout: connectTimeoutMs };
    return mqtt.connect({ ...options, protocol: scheme, hostname, port, path, wsOptions });
  }
  const target = { host, port, lookup: localhostLookup };
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  return new MqttClient(
    () => (scheme === 'mqtts' ? tls.connect({ ...target, ...servername }) : net.connect(target)),
    options,
  );
}
