import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { connect, createServer as createTcpServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createWebSocketStream, WebSocketServer } from 'ws';
import { EventBus } from '../../src/fleet/event-bus.ts';
import { SystemClock } from '../../src/lib/clock.ts';
import type { BrokerPatience } from '../../src/messaging/broker-connection.ts';
import type { BrokerTlsFiles } from '../../src/messaging/broker-tls.ts';
import { MqttService } from '../../src/messaging/mqtt-service.ts';
import { Topics } from '../../src/messaging/topics.ts';
import { hasMosquitto, Mosquitto } from '../support/servers/mosquitto.ts';
import { MqttWatcher } from '../support/clients/mqtt-watcher.ts';
import { mqttCommandSuite } from './mqtt-command-suite.ts';
import { mqttDiscoverySuite } from './mqtt-discovery-suite.ts';
import { mqttSuite, statusOf } from './mqtt-suite.ts';
import { until, untilPasses } from '../support/until.ts';

const hasOpenssl = spawnSync('openssl', ['version']).status === 0;

if (hasMosquitto) {
  // A name under localhost, so that each test also holds the lookup.
  mqttSuite('mosquitto', 'external', () => Mosquitto.create(), 'broker.test.localhost');
  mqttDiscoverySuite('mosquitto', 'external', () => Mosquitto.create());
  mqttCommandSuite('mosquitto', 'external', () => Mosquitto.create());
}

describe.skipIf(!hasMosquitto)(
  `mqtt service and what a broker can refuse${hasMosquitto ? '' : ' (skipped: no mosquitto)'}`,
  () => {
    const ends: (() => Promise<void>)[] = [];
    const clock = new SystemClock();

    afterEach(async () => {
      for (const end of ends.splice(0).reverse()) await end();
    });

    async function broker(lines: string[], files: Record<string, string> = {}): Promise<Mosquitto> {
      const mosquitto = await Mosquitto.create(lines, files);
      ends.push(() => mosquitto.dispose());
      await mosquitto.start();
      return mosquitto;
    }

    function start(
      url: string,
      options: { tls?: BrokerTlsFiles; patience?: Partial<BrokerPatience> } = {},
    ): { service: MqttService; bus: EventBus; lines: string[] } {
      const lines: string[] = [];
      const log = pino({ base: null }, { write: (line: string) => void lines.push(line) });
      const bus = new EventBus(clock, log);
      const reconnect = { initialMs: 20, maxMs: 50 };
      const { tls = {}, patience } = options;
      const broker = { kind: 'external', url, tls } as const;
      const patient = { connectMs: 10_000, acknowledgeMs: 30_000, farewellMs: 1_000, ...patience };
      const service = new MqttService({
        broker,
        topics: new Topics('r'),
        proxyId: 'p1',
        bus,
        clock,
        log,
        reconnect,
        patience: patient,
      });
      ends.push(() => service.close());
      service.start();
      return { service, bus, lines };
    }

    /** A password file with one user, `ann`. */
    async function passwords(password: string): Promise<string> {
      const folder = await mkdtemp(path.join(tmpdir(), 'reveille-passwords-'));
      const file = path.join(folder, 'passwords');
      spawnSync('mosquitto_passwd', ['-b', '-c', file, 'ann', password]);
      const content = await readFile(file, 'utf8');
      await rm(folder, { recursive: true });
      return content;
    }

    const guarded = ['allow_anonymous false', 'password_file passwords'];

    it('logs in with the credentials of the URL, percent encoding undone', async () => {
      const { port } = await broker(guarded, { passwords: await passwords('p@ss/wörd') });
      const { service } = start(`mqtt://ann:${encodeURIComponent('p@ss/wörd')}@127.0.0.1:${port}`);
      await until(() => service.connected);
    });

    it('says that credentials were refused, once and without them, and keeps trying', async () => {
      const mosquitto = await broker(guarded, { passwords: await passwords('right') });
      const { service, lines } = start(`mqtt://ann:wrong-secret@127.0.0.1:${mosquitto.port}`);
      await until(() => lines.some((line) => line.includes('refused the user name or password')));
      await mosquitto.stop();
      const refused = { up: false, reason: expect.stringContaining('ECONNREFUSED') as string };
      await untilPasses(() => expect(service.condition).toEqual(refused));
      expect(lines.join()).not.toContain('wrong-secret');
      expect(lines).toHaveLength(1);
    });

    it('drops what the broker forbids, says so, and goes on with the rest', async () => {
      const acl = 'topic readwrite #\ntopic deny r/network\n';
      const { port } = await broker(['allow_anonymous true', 'acl_file acl'], { acl });
      const { service, bus, lines } = start(`mqtt://127.0.0.1:${port}`);
      await until(() => service.connected);
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${port}`, 'r');
      ends.push(() => watcher.close());
      bus.emit('service.awake', 'web');
      await until(() => watcher.last('r/web/event/service.awake'));
      await until(() => service.dropped === 1);
      expect(lines.some((line) => line.includes('refused a message') && line.includes('r/network'))).toBe(true);
      expect(service.connected).toBe(true);
    });

    it('gives a message up that is larger than the broker takes, and sends those behind it', async () => {
      const { port } = await broker(['allow_anonymous true', 'max_packet_size 2000']);
      const { service, bus } = start(`mqtt://127.0.0.1:${port}`);
      await until(() => service.connected);
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${port}`, 'r');
      ends.push(() => watcher.close());
      bus.emit('service.failed', 'web', { logTail: ['x'.repeat(5000)] });
      bus.emit('service.awake', 'web');
      await until(() => watcher.last('r/web/event/service.awake'));
      expect(service.dropped).toBe(2);
    });

    it('speaks over WebSockets', async () => {
      const { port } = await broker(['allow_anonymous true']);
      // Debian builds mosquitto without WebSockets: this end of them is ours.
      const bridge = new WebSocketServer({ port: 0, host: '127.0.0.1', path: '/mqtt', handleProtocols: () => 'mqtt' });
      await once(bridge, 'listening');
      ends.push(() => new Promise((resolve) => bridge.close(() => resolve())));
      bridge.on('connection', (socket) => {
        const stream = createWebSocketStream(socket);
        pipeline(stream, connect(port, '127.0.0.1'), stream, () => undefined);
      });
      const address = bridge.address() as AddressInfo;
      const { service } = start(`ws://broker.test.localhost:${address.port}/mqtt`);
      await until(() => service.connected);
      service.publishStatus(statusOf('web'));
      const watcher = await MqttWatcher.watch(`mqtt://127.0.0.1:${port}`, 'r');
      ends.push(() => watcher.close());
      await until(() => watcher.last('r/web/status'));
    });

    it('says what a server answers that refuses the WebSocket', async () => {
      const server = createServer((_request, response) => response.writeHead(404).end()).listen(0, '127.0.0.1');
      await once(server, 'listening');
      ends.push(() => new Promise((resolve) => server.close(() => resolve())));
      const { lines } = start(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/`);
      await until(() => lines.some((line) => line.includes('404')));
    });

    describe.skipIf(!hasOpenssl)('over TLS', () => {
      let folder: string;
      let certificate: string;
      let url: string;

      beforeEach(async () => {
        folder = await mkdtemp(path.join(tmpdir(), 'reveille-broker-tls-'));
        ends.push(() => rm(folder, { recursive: true, force: true }));
        const key = path.join(folder, 'key.pem');
        certificate = path.join(folder, 'cert.pem');
        const options = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '1'];
        const name = ['-subj', '/CN=127.0.0.1', '-addext', 'subjectAltName=IP:127.0.0.1'];
        spawnSync('openssl', ['req', ...options, '-keyout', key, '-out', certificate, ...name]);
        const { port } = await broker(['allow_anonymous true', `certfile ${certificate}`, `keyfile ${key}`]);
        url = `mqtts://127.0.0.1:${port}`;
      });

      it('refuses a broker whose certificate nobody vouches for, and says what to do', async () => {
        const { service, lines } = start(url);
        await until(() => lines.some((line) => line.includes('MQTT_CA_FILE')));
        expect(service.connected).toBe(false);
      });

      it('trusts the authorities of MQTT_CA_FILE, also when the file comes later', async () => {
        const caFile = path.join(folder, 'ca.pem');
        const { service, lines } = start(url, { tls: { caFile } });
        await until(() => lines.some((line) => line.includes('MQTT_CA_FILE cannot be read')));
        await copyFile(certificate, caFile);
        await until(() => service.connected);
        expect(lines).toHaveLength(2);
      });
    });

    describe.skipIf(!hasOpenssl)('over TLS, with a broker that asks for a certificate', () => {
      let folder: string;
      let url: string;
      const file = (name: string): string => path.join(folder, name);
      const openssl = (...words: string[]): void => {
        const { status, stderr } = spawnSync('openssl', words, { cwd: folder });
        if (status !== 0) throw new Error(stderr.toString());
      };
      const ownKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];

      function authority(name: string): void {
        openssl(
          'req',
          '-x509',
          ...ownKey,
          '-days',
          '1',
          '-keyout',
          `${name}.key`,
          '-out',
          `${name}.pem`,
          '-subj',
          `/CN=${name}`,
        );
      }

      function certificate(name: string, signer: string): void {
        openssl('req', ...ownKey, '-keyout', `${name}.key`, '-out', `${name}.csr`, '-subj', `/CN=${name}`);
        const signed = ['-CA', `${signer}.pem`, '-CAkey', `${signer}.key`, '-CAcreateserial', '-extfile', 'names'];
        openssl('x509', '-req', '-days', '1', '-in', `${name}.csr`, '-out', `${name}.pem`, ...signed);
      }

      beforeEach(async () => {
        folder = await mkdtemp(path.join(tmpdir(), 'reveille-broker-tls-'));
        ends.push(() => rm(folder, { recursive: true, force: true }));
        await writeFile(file('names'), 'subjectAltName=IP:127.0.0.1');
        for (const name of ['ca', 'other']) authority(name);
        for (const name of ['broker', 'daemon']) certificate(name, 'ca');
        certificate('stranger', 'other');
        const files = [`cafile ${file('ca.pem')}`, `certfile ${file('broker.pem')}`, `keyfile ${file('broker.key')}`];
        const asks = ['require_certificate true', 'use_identity_as_username true'];
        const { port } = await broker([...files, ...asks]);
        url = `mqtts://127.0.0.1:${port}`;
      });

      const files = (certificate: string, key = certificate): BrokerTlsFiles => {
        return { caFile: file('ca.pem'), certFile: file(`${certificate}.pem`), keyFile: file(`${key}.key`) };
      };

      it('shows it that of MQTT_CERT_FILE', async () => {
        const { service } = start(url, { tls: files('daemon') });
        await until(() => service.connected);
      });

      it.each<[string, () => BrokerTlsFiles, RegExp]>([
        ['has none', () => ({ caFile: file('ca.pem') }), /MQTT_CERT_FILE and MQTT_KEY_FILE|the broker hung up/],
        ['has one of another authority', () => files('stranger'), /MQTT_CERT_FILE|the broker hung up/],
        [
          'has the key of another one',
          () => files('daemon', 'stranger'),
          /MQTT_CERT_FILE and MQTT_KEY_FILE .*cannot be used/,
        ],
        [
          'has a key that is none',
          () => ({ ...files('daemon'), keyFile: file('names') }),
          /MQTT_KEY_FILE .*cannot be used/,
        ],
        ['finds no file', () => ({ ...files('daemon'), certFile: file('gone') }), /MQTT_CERT_FILE cannot be read/],
      ])('says what is wrong when it %s, and tries again', async (_what, tls, said) => {
        const { service, lines } = start(url, { tls: tls() });
        await until(() => lines.some((line) => said.test(line)));
        expect(service.connected).toBe(false);
        expect(lines.join()).not.toContain('PRIVATE KEY');
      });
    });

    describe('a broker that is slow', () => {
      /** Takes connections; `answer` is all that it ever says. */
      async function mute(answer: Buffer): Promise<string> {
        const server = createTcpServer((socket) => {
          socket.on('error', () => socket.destroy());
          socket.once('data', () => socket.write(answer));
        }).listen(0, '127.0.0.1');
        await once(server, 'listening');
        ends.push(() => new Promise((resolve) => server.close(() => resolve())));
        return `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
      }

      it('is given up when it does not accept us, and says so once', async () => {
        const { service, lines } = start(await mute(Buffer.alloc(0)), { patience: { connectMs: 30 } });
        await until(() => !service.condition.up && service.condition.reason.includes('answers nothing'));
        await until(() => lines.length > 0);
        expect(lines).toHaveLength(1);
        await service.close();
      });

      it('is left when it acknowledges nothing; nobody waits, and what it never took is counted', async () => {
        // CONNACK of MQTT 5, without properties.
        const url = await mute(Buffer.from([0x20, 3, 0, 0, 0]));
        const { service, bus, lines } = start(url, { patience: { acknowledgeMs: 30, farewellMs: 1 } });
        await until(() => service.connected);
        bus.emit('service.awake', 'web');
        await until(() => lines.some((line) => line.includes('acknowledges nothing')));
        await until(() => service.dropped === 2);
        await service.close();
      });
    });

    it('says that a TLS connection meets a broker without TLS', async () => {
      const { port } = await broker(['allow_anonymous true']);
      const { lines } = start(`mqtts://127.0.0.1:${port}`);
      await until(() => lines.some((line) => line.includes('cannot connect')));
    });

    it.each(['not a url', 'http://127.0.0.1', 'mqtt://', 'mqtt://ann:top-secret@127.0.0.1:99999'])(
      'says that %s is no address of a broker, throws nothing and hides what may be a password',
      async (url) => {
        const { service, bus, lines } = start(url);
        bus.emit('service.awake', 'web');
        service.publishStatus(statusOf('web'));
        expect(lines.filter((line) => line.includes('MQTT_BROKER_URL'))).toHaveLength(1);
        expect(lines.join()).not.toContain('top-secret');
        expect(service.connected).toBe(false);
        await service.close();
      },
    );
  },
);
