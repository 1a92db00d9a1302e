import { availableParallelism } from 'node:os';
import { describe, expect, it } from 'vitest';
import { ConfigError } from '../../../src/config/config-error.ts';
import { diffSettings, LIVE_SETTINGS } from '../../../src/config/settings/diff-settings.ts';
import { settingsEnvironment } from '../../../src/config/settings/settings-environment.ts';
import { loadSettings } from '../../../src/config/settings.ts';
import { unknownSettings } from '../../../src/config/settings/unknown-settings.ts';

function problemsOf(environment: Record<string, string>) {
  try {
    loadSettings(environment);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems;
    throw error;
  }
  return [];
}

describe('the settings', () => {
  it('have the defaults of development', () => {
    expect(loadSettings({})).toEqual({
      env: 'development',
      protocol: 'https',
      domain: 'alkimia.localhost',
      localIp: '127.0.0.1',
      httpsPort: 443,
      httpPort: 80,
      certsDir: 'certs',
      manifest: 'services-manifest.ts',
      stateDir: '.reveille',
      project: 'alkimia.localhost',
      dockerHost: undefined,
      dockerNetwork: 'alkimia-net',
      runtime: 'auto',
      dockerFilePort: 3000,
      workers: availableParallelism(),
      mongoDbUri: undefined,
      mongoDbName: 'alkimia',
      mongoPoolSize: 10,
      mongoConnectTimeoutMs: 5_000,
      mongoSelectionTimeoutMs: 5_000,
      mongoAnswerTimeoutMs: 10_000,
      sessionTtlMs: 24 * 60 * 60_000,
      storeMaxPending: 10_000,
      mqttBrokerUrl: undefined,
      mqttPort: 1883,
      mqttTopicRoot: 'services',
      mqttCommands: false,
      mqttDiscovery: undefined,
      adminSubdomain: 'proxy',
      adminToken: undefined,
      trustedProxies: [],
      drainTimeoutMs: 30_000,
      logLevel: 'info',
      logFormat: 'pretty',
      accessLog: 'errors',
      limits: {
        tlsHandshakeTimeoutMs: 6_000,
        headersTimeoutMs: 8_000,
        bodyTimeoutMs: 30_000,
        connectTimeoutMs: 5000,
        responseTimeoutMs: 60_000,
        stallTimeoutMs: 120_000,
        keepAliveTimeoutMs: 75_000,
        buildTimeoutMs: 900_000,
        maxHeaderSizeBytes: 16_384,
        maxUrlSizeBytes: 8192,
        maxBodySizeBytes: 0,
        maxConnectionsPerClient: 2_048,
      },
    });
  });

  it('have other defaults in production', () => {
    expect(loadSettings({ ENV: 'production' })).toMatchObject({
      localIp: '0.0.0.0',
      runtime: 'docker',
      logFormat: 'json',
    });
  });

  it('are frozen all the way down', () => {
    const settings = loadSettings({ TRUSTED_PROXIES: '10.0.0.0/8' });
    expect([settings, settings.limits, settings.trustedProxies].every((one) => Object.isFrozen(one))).toBe(true);
  });

  it('take the environment of the process before .env', () => {
    const settings = loadSettings(
      { DOMAIN: 'example.com', HTTPS_PORT: undefined },
      'DOMAIN=other.org\nHTTPS_PORT=8443',
    );
    expect(settings).toMatchObject({ domain: 'example.com', httpsPort: 8443 });
  });

  it('switch the redirect off when HTTP_PORT is empty, and take the default for any other empty value', () => {
    expect(loadSettings({ HTTP_PORT: '', HTTPS_PORT: '', LOG_LEVEL: ' ' })).toMatchObject({
      httpPort: undefined,
      httpsPort: 443,
      logLevel: 'info',
    });
  });

  it.each([
    [{ DOMAIN: 'Example.COM.' }, { domain: 'example.com' }],
    [{ DOMAIN: 'example.com' }, { project: 'example.com' }],
    [{ DOMAIN: 'example.com', PROJECT: 'shop' }, { project: 'shop' }],
    [
      { HTTPS_PORT: '0', HTTP_PORT: '0' },
      { httpsPort: 0, httpPort: 0 },
    ],
    [{ WORKERS: '4' }, { workers: 4 }],
    [{ MQTT_COMMANDS: 'on' }, { mqttCommands: true }],
    [{ MQTT_DISCOVERY: 'homeassistant' }, { mqttDiscovery: 'homeassistant' }],
    [{ ADMIN_TOKEN: 'abc' }, { adminToken: 'abc' }],
    [{ LOCAL_IP: '::' }, { localIp: '::' }],
    [{ DOCKER_HOST: 'unix:///tmp/d.sock' }, { dockerHost: 'unix:///tmp/d.sock' }],
    [
      { TRUSTED_PROXIES: '10.0.0.0/8, fd00::/8 192.0.2.1' },
      { trustedProxies: ['10.0.0.0/8', 'fd00::/8', '192.0.2.1/32'] },
    ],
    [{ DRAIN_TIMEOUT: '2m' }, { drainTimeoutMs: 120_000 }],
  ])('read %o', (environment, expected) => {
    expect(loadSettings(environment)).toMatchObject(expected);
  });

  it.each([
    ['ENV', 'prod'],
    ['PROTOCOL', 'ftp'],
    ['DOMAIN', 'not a host'],
    ['DOMAIN', 'https://example.com'],
    ['LOCAL_IP', 'localhost'],
    ['HTTPS_PORT', '65536'],
    ['HTTPS_PORT', '0x1bb'],
    ['HTTP_PORT', '-1'],
    ['HTTP_PORT', '443'],
    ['PROJECT', '../x'],
    ['DOCKER_HOST', 'docker.sock'],
    ['DOCKER_NETWORK', 'a b'],
    ['RUNTIME', 'podman'],
    ['DOCKER_FILE_PORT', '0'],
    ['FRONTEND_PORT', 'abc'],
    ['BACKEND_SUBDOMAIN', 'a.b'],
    ['WORKERS', '0'],
    ['MONGO_DB_URI', 'http://localhost'],
    ['MONGO_DB_NAME', 'a/b'],
    ['MQTT_BROKER_URL', 'localhost:1883'],
    ['MQTT_PORT', '70000'],
    ['MQTT_TOPIC_ROOT', 'a/#'],
    ['MQTT_TOPIC_ROOT', '$SYS'],
    ['MQTT_COMMANDS', 'yes'],
    ['MQTT_DISCOVERY', 'openhab'],
    ['ADMIN_SUBDOMAIN', 'a.b'],
    ['ADMIN_TOKEN', 'two words'],
    ['TRUSTED_PROXIES', '10.0.0.0/33'],
    ['TRUSTED_PROXIES', 'everybody'],
    ['DRAIN_TIMEOUT', '30'],
    ['LOG_LEVEL', 'verbose'],
    ['LOG_FORMAT', 'xml'],
    ['ACCESS_LOG', 'on'],
    ['HEADERS_TIMEOUT', '0s'],
    ['MAX_HEADER_SIZE', '0'],
    ['MAX_BODY_SIZE', 'huge'],
    ['MAX_CONNECTIONS_PER_CLIENT', '0'],
  ])('refuse %s=%s, with that key alone', (key, value) => {
    expect(problemsOf({ [key]: value }).map((problem) => problem.field)).toEqual([key]);
  });

  it.each([
    ['MQTT_CERT_FILE', 'MQTT_KEY_FILE'],
    ['MQTT_KEY_FILE', 'MQTT_CERT_FILE'],
  ])('refuse %s without %s', (given, missing) => {
    expect(problemsOf({ [given]: 'mine.pem' })).toEqual([{ field: missing, message: `must be set where ${given} is` }]);
  });

  it('list every problem at once', () => {
    const fields = problemsOf({ HTTPS_PORT: 'x', LOG_LEVEL: 'x', STALL_TIMEOUT: 'x' }).map((problem) => problem.field);
    expect(fields).toEqual(['HTTPS_PORT', 'LOG_LEVEL', 'STALL_TIMEOUT']);
  });

  it.each(['ADMIN_TOKEN', 'MONGO_DB_URI', 'MQTT_BROKER_URL'])('never repeat the value of %s', (key) => {
    expect(JSON.stringify(problemsOf({ [key]: 'hunter2 hunter2' }))).not.toContain('hunter2');
  });
});

describe('the environment that a manifest gets', () => {
  it('has every setting as text, and what else is in .env', () => {
    const env = settingsEnvironment({ BACKEND_PORT: '7171' }, 'MY_KEY=1\nENV=production');
    expect(env).toMatchObject({ FRONTEND_SUBDOMAIN: 'app', BACKEND_PORT: '7171', MY_KEY: '1', LOG_FORMAT: 'json' });
    expect(env.PROJECT).toBe('alkimia.localhost');
    expect(Object.isFrozen(env)).toBe(true);
  });
});

describe('a key in .env that looks misspelled', () => {
  it('is told with what was probably meant; a variable of the manifest is not', () => {
    expect(unknownSettings('HTTPS_PROT=1\nDB_PASSWORD=x\nDOMAIN=a.b')).toEqual([
      { key: 'HTTPS_PROT', didYouMean: 'HTTPS_PORT' },
    ]);
  });
});

describe('a change of the settings', () => {
  it('is live for those that the contract names', () => {
    expect([...LIVE_SETTINGS].sort()).toEqual([
      'ACCESS_LOG',
      'ADMIN_TOKEN',
      'DRAIN_TIMEOUT',
      'LOG_LEVEL',
      'MQTT_COMMANDS',
      'TRUSTED_PROXIES',
    ]);
  });

  it('is told apart by whether it waits for a restart', () => {
    const after = loadSettings({
      LOG_LEVEL: 'debug',
      TRUSTED_PROXIES: '10.0.0.0/8',
      HTTPS_PORT: '8443',
      STALL_TIMEOUT: '1m',
    });
    expect(diffSettings(loadSettings({}), after)).toEqual({
      live: ['TRUSTED_PROXIES', 'LOG_LEVEL'],
      restartNeeded: ['HTTPS_PORT', 'STALL_TIMEOUT'],
    });
  });

  it('is none when the same is written in another way', () => {
    expect(diffSettings(loadSettings({}), loadSettings({ DRAIN_TIMEOUT: '30000ms' }))).toEqual({
      live: [],
      restartNeeded: [],
    });
  });
});
