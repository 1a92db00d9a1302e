import net from 'node:net';
import tls from 'node:tls';
import mqtt, {
  MqttClient,
  type IClientOptions,
  type IClientPublishOptions,
  type IConnackPacket,
  type IPublishPacket,
} from 'mqtt';
import type { Clock, Timer } from '../lib/clock.ts';
import { sleep } from '../lib/clock.ts';
import { messageOf } from '../lib/coded-error.ts';
import { localhostLookup } from '../lib/localhost-lookup.ts';
import type { BrokerAddress } from './broker-address.ts';
import { explainBrokerFailure, isPassing } from './broker-failure.ts';
import { readBrokerTls, type BrokerTlsFiles } from './broker-tls.ts';
import type { Message } from './outbox.ts';

const keepAliveSeconds = 20;
/** How many publications may wait for their acknowledgement; a broker may ask for fewer. */
const ourWindow = 16;
/** What a broker may send us at once: everything that we listen to is small. */
const incomingPacketBytes = 65_536;
const incomingWindow = 64;

/** How long a broker may take. */
export interface BrokerPatience {
  /** Until it has accepted us. */
  readonly connectMs: number;
  /** For a sign that it takes messages: one that answers pings and acknowledges nothing is left. */
  readonly acknowledgeMs: number;
  /** For what still has to go out when we leave, and as long again for the goodbye. */
  readonly farewellMs: number;
}

/** One message that somebody published. Hostile, whatever it is. */
export interface IncomingMessage {
  readonly topic: string;
  readonly payload: Buffer;
  /** The broker kept it from an earlier time. */
  readonly retain: boolean;
  readonly responseTopic?: string;
  readonly correlationData?: Buffer;
}

export interface Subscription {
  readonly filter: string;
  /** Whether what the broker retains is wanted, too. */
  readonly retained: boolean;
  /** Nobody has to be told when the broker does not allow it. */
  readonly optional?: boolean;
}

export interface BrokerConnectionOptions {
  readonly address: BrokerAddress;
  /** 5 with an external broker, 4 (3.1.1) with the embedded one. */
  readonly protocolVersion: 4 | 5;
  readonly clientId: string;
  /** What the broker publishes for us when we are gone without a word. */
  readonly will: Message;
  readonly tls: BrokerTlsFiles;
  readonly patience: BrokerPatience;
  readonly clock: Clock;
  onUp(): void;
  onMessage(message: IncomingMessage): void;
  /** Called once, and nothing after it. `passing`: it may well be over by itself. */
  onDown(reason: string, passing: boolean): void;
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
      client.on('message', (_topic, _payload, packet) => this.#onMessage(packet));
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
    const bytes = Buffer.byteLength(message.topic) + Buffer.byteLength(message.payload) + 128;
    if (bytes > this.#maximumPacketBytes) {
      const refusal = `it has ${bytes} bytes and the broker takes ${this.#maximumPacketBytes}`;
      queueMicrotask(() => done(refusal));
      return;
    }
    this.#unacknowledged += 1;
    this.#watch();
    const { topic, payload, retain } = message;
    this.#client?.publish(topic, payload, { qos: 1, retain, ...this.#properties(message) }, (error) => {
      if (this.#down) return;
      const refused = error && 'code' in error && typeof error.code === 'number';
      // Every other error is the end of the connection, and `close` follows.
      if (error && !refused) return;
      this.#unacknowledged -= 1;
      this.#watch();
      done(refused ? error.message : undefined);
    });
  }

  #properties({ correlationData, contentType }: Message): Pick<IClientPublishOptions, 'properties'> {
    if (this.#options.protocolVersion === 4 || (correlationData ?? contentType) === undefined) return {};
    return {
      properties: {
        ...(correlationData === undefined ? {} : { correlationData }),
        ...(contentType === undefined ? {} : { contentType }),
      },
    };
  }

  /** `done` gets undefined when the broker has agreed, or why it never will. It is not called when the connection ends first. */
  subscribe({ filter, retained }: Subscription, done: (refusal: string | undefined) => void): void {
    // MQTT 5 section 3.8.3.1; in 3.1.1 the retained ones come in any case, and carry the flag.
    const v5 = this.#options.protocolVersion === 5 && !retained ? { rh: 2, nl: true } : {};
    this.#client?.subscribe(filter, { qos: 1, ...v5 }, (error, granted) => {
      if (this.#down) return;
      const refused = granted?.some(({ qos }) => (qos as number) >= 128) ?? false;
      if (error) done(messageOf(error));
      else done(refused ? 'it is not allowed' : undefined);
    });
  }

  unsubscribe(filter: string): void {
    this.#client?.unsubscribe(filter, () => undefined);
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

  #onMessage({ topic, payload, retain, properties }: IPublishPacket): void {
    if (this.#down) return;
    const { responseTopic, correlationData } = properties ?? {};
    this.#options.onMessage({
      ...{ topic, retain, payload: typeof payload === 'string' ? Buffer.from(payload) : payload },
      ...(responseTopic === undefined ? {} : { responseTopic }),
      ...(correlationData === undefined ? {} : { correlationData }),
    });
  }

  /** Begins the wait for an acknowledgement anew, or ends it. */
  #watch(): void {
    this.#watchdog?.cancel();
    this.#watchdog =
      this.#unacknowledged === 0
        ? undefined
        : this.#options.clock.after(this.#options.patience.acknowledgeMs, () =>
            this.abort('the broker acknowledges nothing'),
          );
  }

  #end(): void {
    if (this.#down) return;
    this.#down = true;
    const fallback = this.#up ? 'the broker hung up' : 'the broker hung up before it accepted us';
    this.#release();
    const reason = this.#lastFailure === undefined ? fallback : explainBrokerFailure(this.#lastFailure);
    this.#options.onDown(reason, isPassing(this.#lastFailure));
  }

  #release(): void {
    this.#up = false;
    this.#watchdog?.cancel();
    this.#client?.end(true);
  }
}

function connect(connection: BrokerConnectionOptions): MqttClient {
  const { address, protocolVersion, clientId, will, patience } = connection;
  const options: IClientOptions = {
    protocolVersion,
    clientId,
    clean: true,
    keepalive: keepAliveSeconds,
    connectTimeout: patience.connectMs,
    // Whoever opens connections decides when the next one begins; nothing may wait in the client meanwhile.
    reconnectPeriod: 0,
    queueQoSZero: false,
    resubscribe: false,
    ...(address.username === undefined ? {} : { username: address.username }),
    ...(address.password === undefined ? {} : { password: address.password }),
    ...(protocolVersion === 5
      ? { properties: { maximumPacketSize: incomingPacketBytes, receiveMaximum: incomingWindow } }
      : {}),
    will: { topic: will.topic, payload: Buffer.from(will.payload), qos: 1, retain: will.retain },
  };
  const { scheme, host, port, path } = address;
  const files = scheme === 'mqtts' || scheme === 'wss' ? readBrokerTls(connection.tls) : {};
  if (scheme === 'ws' || scheme === 'wss') {
    const hostname = host.includes(':') ? `[${host}]` : host;
    const wsOptions = { lookup: localhostLookup, handshakeTimeout: patience.connectMs, ...files };
    return mqtt.connect({ ...options, protocol: scheme, hostname, port, path, wsOptions });
  }
  const target = { host, port, lookup: localhostLookup };
  const servername = net.isIP(host) === 0 ? { servername: host } : {};
  return new MqttClient(
    () => (scheme === 'mqtts' ? tls.connect({ ...target, ...servername, ...files }) : net.connect(target)),
    options,
  );
}
