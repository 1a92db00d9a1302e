import type { z } from 'zod';
import { listenPort, port } from '../manifest/port.ts';
import * as types from './setting-types.ts';
import { durationMs, sizeBytes, someDurationMs, someSizeBytes } from '../units.ts';

/** Everything there is to know of one setting. Parsing, .env.example and the reference are made from this and nothing else. */
export interface SettingDefinition {
  readonly key: string;
  readonly group: string;
  /** As it would stand in .env. An empty value there means the default, unless `emptyMeans` says otherwise. */
  readonly default: string;
  /** Where production has another default. */
  readonly productionDefault?: string;
  /** The key whose value is the default. */
  readonly defaultFrom?: 'DOMAIN';
  readonly emptyMeans?: string;
  /** One line, for .env.example and the reference. */
  readonly meaning: string;
  /** Applied without a restart. */
  readonly live?: boolean;
  /** Its value is never repeated, not even in an error. */
  readonly secret?: boolean;
  readonly type: z.ZodType;
}

const address = 'How services are addressed';
const files = 'Files';
const docker = 'What runs the services';
const example = 'The example manifest';
const store = 'Store';
const mqtt = 'MQTT';
const admin = 'Dashboard and API';
const logs = 'Logs';
const limit = 'Limits';

// prettier-ignore
/** By the name of their field in `Settings`. */
export const SETTINGS = {
  env: { key: 'ENV', group: address, default: 'development', type: types.choice('development', 'production'), meaning: 'development or production.' },
  protocol: { key: 'PROTOCOL', group: address, default: 'https', type: types.choice('https', 'http'), meaning: 'The scheme of the URLs under which clients call the services.' },
  domain: { key: 'DOMAIN', group: address, default: 'alkimia.localhost', type: types.hostName, meaning: 'Services are subdomains of this name.' },
  localIp: { key: 'LOCAL_IP', group: address, default: '127.0.0.1', productionDefault: '0.0.0.0', type: types.ipAddress, meaning: 'The address to listen on.' },
  httpsPort: { key: 'HTTPS_PORT', group: address, default: '443', type: listenPort, meaning: 'The HTTPS port; 0 = any free one. In development 8443 is taken when this one may not be bound.' },
  httpPort: { key: 'HTTP_PORT', group: address, default: '80', emptyMeans: 'off', type: types.optional(listenPort), meaning: 'Redirects to HTTPS; empty = off. In development 8080 is taken when this one may not be bound.' },
  trustedProxies: { key: 'TRUSTED_PROXIES', group: address, default: '', live: true, type: types.cidrList, meaning: 'Networks (CIDR, separated by commas) whose X-Forwarded-* fields are believed.' },
  workers: { key: 'WORKERS', group: address, default: 'auto', type: types.workerCount, meaning: 'Proxy processes in production; auto = one per core.' },
  drainTimeoutMs: { key: 'DRAIN_TIMEOUT', group: address, default: '30s', live: true, type: durationMs, meaning: 'How long open requests may go on after the daemon was told to stop.' },

  certsDir: { key: 'CERTS_DIR', group: files, default: 'certs', type: types.path, meaning: 'fullchain.pem and key.pem, and a folder of the same per host name.' },
  manifest: { key: 'MANIFEST', group: files, default: 'services-manifest.ts', type: types.path, meaning: 'The services.' },
  stateDir: { key: 'STATE_DIR', group: files, default: '.reveille', type: types.path, meaning: 'What the daemon keeps: its store, the admin token, its sockets.' },

  project: { key: 'PROJECT', group: docker, default: '', defaultFrom: 'DOMAIN', type: types.dockerName, meaning: 'Whose containers these are: only this project\'s are adopted, stopped or removed; empty = DOMAIN.' },
  runtime: { key: 'RUNTIME', group: docker, default: 'auto', productionDefault: 'docker', type: types.choice('auto', 'docker', 'process'), meaning: 'docker, process (child processes), or auto: Docker when it answers at start, else processes.' },
  dockerHost: { key: 'DOCKER_HOST', group: docker, default: '', type: types.optional(types.urlOf('unix', 'tcp', 'http', 'https', 'ssh', 'npipe')), meaning: 'The Docker engine, as the docker command has it; empty = the local socket.' },
  dockerNetwork: { key: 'DOCKER_NETWORK', group: docker, default: 'alkimia-net', type: types.dockerName, meaning: 'The Docker network that the services share.' },
  dockerFilePort: { key: 'DOCKER_FILE_PORT', group: docker, default: '3000', type: port, meaning: 'The container port of a service that names none.' },

  mongoDbUri: { key: 'MONGO_DB_URI', group: store, default: '', secret: true, type: types.optional(types.urlOf('mongodb', 'mongodb+srv')), meaning: 'Empty = the embedded store in STATE_DIR; mongodb://mongoadmin:secret@localhost:27017/?replicaSet=rs0 = the managed one.' },
  mongoDbName: { key: 'MONGO_DB_NAME', group: store, default: 'alkimia', type: types.databaseName, meaning: 'The database in MongoDB.' },
  mongoPoolSize: { key: 'MONGO_POOL_SIZE', group: store, default: '10', type: types.count(1), meaning: 'Connections to MongoDB at most.' },
  mongoConnectTimeoutMs: { key: 'MONGO_CONNECT_TIMEOUT', group: store, default: '5s', type: someDurationMs, meaning: 'How long a connection to a member may take.' },
  mongoSelectionTimeoutMs: { key: 'MONGO_SELECTION_TIMEOUT', group: store, default: '5s', type: someDurationMs, meaning: 'How long a call may wait for a primary, an election included; then the store counts as away.' },
  mongoAnswerTimeoutMs: { key: 'MONGO_ANSWER_TIMEOUT', group: store, default: '10s', type: someDurationMs, meaning: 'How long MongoDB may take to answer one call.' },
  sessionTtlMs: { key: 'SESSION_TTL', group: store, default: '24h', type: someDurationMs, meaning: 'How long a client of a sticky service is remembered after it was seen last.' },
  storeMaxPending: { key: 'STORE_MAX_PENDING', group: store, default: '10000', type: types.count(1), meaning: 'Events, sessions and samples (each) that wait while the store is away; the oldest are given up when there are more.' },

  mqttBrokerUrl: { key: 'MQTT_BROKER_URL', group: mqtt, default: '', secret: true, type: types.optional(types.urlOf('mqtt', 'mqtts', 'tcp', 'ssl', 'ws', 'wss')), meaning: 'Such as mqtts://user:password@host:8883; empty = the embedded broker on 127.0.0.1, or the service that publishes MQTT_PORT.' },
  mqttCaFile: { key: 'MQTT_CA_FILE', group: mqtt, default: '', type: types.optional(types.path), meaning: 'A PEM file of the authorities that may vouch for the broker (mqtts, wss); empty = those of Node.' },
  mqttCertFile: { key: 'MQTT_CERT_FILE', group: mqtt, default: '', type: types.optional(types.path), meaning: 'A PEM file with the certificate that we show a broker that asks for one (mqtts, wss).' },
  mqttKeyFile: { key: 'MQTT_KEY_FILE', group: mqtt, default: '', type: types.optional(types.path), meaning: 'A PEM file with the key of MQTT_CERT_FILE, without a passphrase.' },
  mqttPort: { key: 'MQTT_PORT', group: mqtt, default: '1883', type: listenPort, meaning: 'The port of the embedded broker; in development the next free one when it is taken.' },
  mqttTopicRoot: { key: 'MQTT_TOPIC_ROOT', group: mqtt, default: 'services', type: types.topicRoot, meaning: 'The first part of every topic.' },
  mqttCommands: { key: 'MQTT_COMMANDS', group: mqtt, default: 'off', live: true, type: types.onOff, meaning: 'on = wake, sleep and scale are accepted as command topics, from whoever the broker lets write there.' },
  mqttDiscovery: { key: 'MQTT_DISCOVERY', group: mqtt, default: '', type: types.optional(types.choice('homeassistant')), meaning: 'homeassistant = every service is announced there, as a switch and a number of instances (they work with MQTT_COMMANDS=on) and sensors.' },

  adminSubdomain: { key: 'ADMIN_SUBDOMAIN', group: admin, default: 'proxy', type: types.dnsLabel, meaning: 'The subdomain of the dashboard and the API.' },
  adminToken: { key: 'ADMIN_TOKEN', group: admin, default: '', live: true, secret: true, type: types.optional(types.bearerToken), meaning: 'Empty = one is generated into STATE_DIR/admin-token.' },

  logLevel: { key: 'LOG_LEVEL', group: logs, default: 'info', live: true, type: types.choice('trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'), meaning: 'trace, debug, info, warn, error, fatal or silent.' },
  logFormat: { key: 'LOG_FORMAT', group: logs, default: 'pretty', productionDefault: 'json', type: types.choice('pretty', 'json'), meaning: 'pretty or json.' },
  accessLog: { key: 'ACCESS_LOG', group: logs, default: 'errors', live: true, type: types.choice('all', 'errors', 'off'), meaning: 'all, errors (answers from 400 up, and wakes) or off.' },
} as const satisfies Record<string, SettingDefinition>;

// prettier-ignore
/** By the name of their field in `Settings.limits`. */
export const LIMITS = {
  tlsHandshakeTimeoutMs: { key: 'TLS_HANDSHAKE_TIMEOUT', group: limit, default: '6s', type: someDurationMs, meaning: 'How long a TLS handshake may take.' },
  headersTimeoutMs: { key: 'HEADERS_TIMEOUT', group: limit, default: '8s', type: someDurationMs, meaning: 'How long the head of a request may take to arrive.' },
  bodyTimeoutMs: { key: 'BODY_TIMEOUT', group: limit, default: '30s', type: someDurationMs, meaning: 'How long the body of a request may make no progress.' },
  connectTimeoutMs: { key: 'CONNECT_TIMEOUT', group: limit, default: '5s', type: someDurationMs, meaning: 'How long a connection to an upstream may take.' },
  responseTimeoutMs: { key: 'RESPONSE_TIMEOUT', group: limit, default: '60s', type: someDurationMs, meaning: 'How long an upstream may take until the head of its response.' },
  stallTimeoutMs: { key: 'STALL_TIMEOUT', group: limit, default: '2m', type: someDurationMs, meaning: 'How long a client may leave unread what was sent to it; silence alone ends no stream.' },
  keepAliveTimeoutMs: { key: 'KEEP_ALIVE_TIMEOUT', group: limit, default: '75s', type: someDurationMs, meaning: 'How long a connection of a client may stay open without a request.' },
  buildTimeoutMs: { key: 'BUILD_TIMEOUT', group: limit, default: '15m', type: someDurationMs, meaning: 'How long the build of an image may take.' },
  maxHeaderSizeBytes: { key: 'MAX_HEADER_SIZE', group: limit, default: '16k', type: someSizeBytes, meaning: 'The largest head of a request.' },
  maxUrlSizeBytes: { key: 'MAX_URL_SIZE', group: limit, default: '8k', type: someSizeBytes, meaning: 'The longest target of a request.' },
  maxBodySizeBytes: { key: 'MAX_BODY_SIZE', group: limit, default: '0', type: sizeBytes, meaning: 'The largest body of a request; 0 = unlimited.' },
  maxConnectionsPerClient: { key: 'MAX_CONNECTIONS_PER_CLIENT', group: limit, default: '2048', type: types.count(1), meaning: 'Connections that one address may hold open in each proxy process.' },
} as const satisfies Record<string, SettingDefinition>;

// prettier-ignore
/** What only the example manifest reads; a change takes effect with the manifest. */
export const EXAMPLE_SETTINGS = {
  frontendSubdomain: { key: 'FRONTEND_SUBDOMAIN', group: example, default: 'app', type: types.dnsLabel, meaning: 'Where the example frontend answers.' },
  frontendPort: { key: 'FRONTEND_PORT', group: example, default: '3000', type: port, meaning: 'Its container port.' },
  backendSubdomain: { key: 'BACKEND_SUBDOMAIN', group: example, default: 'server', type: types.dnsLabel, meaning: 'Where the example backend answers.' },
  backendPort: { key: 'BACKEND_PORT', group: example, default: '7070', type: port, meaning: 'Its container port.' },
} as const satisfies Record<string, SettingDefinition>;

type KeyOf<Table extends Record<string, SettingDefinition>> = Table[keyof Table]['key'];

/** Every key that .env may hold for us. */
export type SettingKey = KeyOf<typeof SETTINGS> | KeyOf<typeof LIMITS> | KeyOf<typeof EXAMPLE_SETTINGS>;

/** All of them, in the order of .env.example. */
export const ALL_SETTINGS: readonly SettingDefinition[] = [SETTINGS, EXAMPLE_SETTINGS, LIMITS].flatMap((table) =>
  Object.values<SettingDefinition>(table),
);
