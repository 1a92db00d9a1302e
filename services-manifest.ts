/**
 * The services that Reveille wakes, and under which names. Edit it while the daemon runs: what you save applies at once, and what
 * does not add up is refused whole, with the field named (`reveille check` tells beforehand).
 *
 * `env` is .env overridden by the environment of the daemon, with the defaults filled in.
 */
import { defineManifest } from './src/config/manifest.ts';

export default defineManifest(({ env }) => {
  const development = env.ENV === 'development';

  // In development Node starts a service again when one of its files changes, and the containers see the files of this machine:
  // an edit shows at once. In production they run what was built into the image.
  const command = development ? ['node', '--watch', '--watch-preserve-output', 'server.js'] : ['node', 'server.js'];
  const sources = (folder: string) =>
    development ? [`./apps/${folder}:/app/${folder}:ro`, './apps/shared:/app/shared:ro'] : [];

  // Enough for a service to know the public names of the others. The daemon adds REVEILLE_INSTANCE, REVEILLE_SERVICE,
  // REVEILLE_DOMAIN and REVEILLE_HTTPS_PORT to every instance by itself.
  const names = { PROTOCOL: env.PROTOCOL, DOMAIN: env.DOMAIN, BACKEND_SUBDOMAIN: env.BACKEND_SUBDOMAIN };

  return {
    services: {
      // A page that calls the backend: https://app.DOMAIN
      frontend: {
        routes: [env.FRONTEND_SUBDOMAIN],
        // The context is `apps`, so that the images can copy what the services share.
        build: { context: 'apps', dockerfile: 'frontend/Dockerfile' },
        port: env.FRONTEND_PORT,
        command,
        // The port that the service listens on in its container; where it runs as a process, the daemon chooses another PORT.
        env: { ...names, PORT: env.FRONTEND_PORT },
        volumes: sources('frontend'),
        // How it runs on a machine without a container engine.
        process: { command, cwd: 'apps/frontend' },
        readiness: { http: '/ping' },
      },

      // REST, WebSocket, event stream, and CPU load on request: https://server.DOMAIN, and https://app.DOMAIN/api/
      backend: {
        // The longest path wins: /api/ of the frontend's host leads here, everything else there to the frontend.
        routes: [env.BACKEND_SUBDOMAIN, { host: env.FRONTEND_SUBDOMAIN, path: '/api/' }],
        build: { context: 'apps', dockerfile: 'backend/Dockerfile' },
        port: env.BACKEND_PORT,
        command,
        env: { ...names, PORT: env.BACKEND_PORT },
        volumes: sources('backend'),
        process: { command, cwd: 'apps/backend' },
        // Ready is what answers here below 500, not what merely runs.
        readiness: { http: '/ping' },
        // Idle = no request, stream or WebSocket open. A load that goes on after its request was answered is work as well.
        sleep: { after: '15m', unless: { cpuAbove: 30 } },
        scale: { min: 0, max: 3, cpu: 70, inFlight: 50 },
        // Its notes live in memory: a client stays with the instance that has them.
        sticky: true,
        monitor: { cpu: { warn: 60, panic: 80 } },
      },

      // Drives the backend through the proxy: https://stress.DOMAIN and http://localhost:8888
      stress: {
        routes: ['stress'],
        build: { context: 'apps', dockerfile: 'stress-agent/Dockerfile' },
        port: 3000,
        publish: ['127.0.0.1:8888:3000'],
        command,
        env: names,
        volumes: sources('stress-agent'),
        process: { command, cwd: 'apps/stress-agent' },
        readiness: { http: '/ping' },
        // A run goes on when nobody looks at it: /busy answers 204 as long as it does.
        sleep: { after: '15m', unless: { probe: '/busy' } },
      },

      // A managed MQTT broker, asleep until somebody needs it: wss://mqtt.DOMAIN wakes it, and so does a service that depends on
      // it (`dependsOn: ['mqtt']`), which reaches it as mqtt:1883. This machine has it as localhost:1884. With MQTT_PORT=1884 in
      // .env it takes the place of the embedded broker, and the daemon wakes it at its start.
      mqtt: {
        // WebSockets have a port of their own.
        routes: [{ host: 'mqtt', port: 9001 }],
        image: 'eclipse-mosquitto:2',
        port: 1883,
        publish: ['127.0.0.1:1884:1883'],
        volumes: [
          `./apps/mqtt/${development ? 'mosquitto.conf' : 'mosquitto.production.conf'}:/mosquitto/config/mosquitto.conf:ro`,
          'mqtt-data:/mosquitto/data',
        ],
        readiness: { tcp: true },
        resources: { cpus: 1, memory: '128m' },
        // Whoever is connected to the published port would not count as a request.
        sleep: false,
      },

      // A managed MongoDB: a replica set of one, asleep until a service that depends on it is woken (`dependsOn: ['mongodb']`), which
      // reaches it as mongodb:27017; this machine has it as localhost:27017. Its member goes by mongodb.DOMAIN: where that name
      // leads nowhere on this machine, programs other than the daemon need the line of `reveille hosts`. With
      // MONGO_DB_URI=mongodb://mongoadmin:secret@localhost:27017/?replicaSet=rs0 in .env, Reveille wakes it at boot and keeps its
      // own state in it. Another user or password: MONGO_INITDB_ROOT_USERNAME and MONGO_INITDB_ROOT_PASSWORD in `env` here, before
      // the first start.
      mongodb: {
        image: 'mongo:8',
        port: 27017,
        replicaSet: 'rs0',
        publish: ['127.0.0.1:27017:27017'],
        volumes: ['mongodb-data:/data/db'],
        resources: { memory: '1g' },
        sleep: false,
      },

      // More that a service can be. All of these need an image registry, so they are switched off here.
      //
      // A one-shot job that runs before whoever depends on it.
      // migrate: { image: 'example/migrations:1', job: true, dependsOn: { mongodb: 'ready' } },
      //
      // A service that is paused after a minute (back in milliseconds) and stopped after an hour more.
      // shop: {
      //   routes: ['shop', 'www.example.com'],
      //   image: 'example/shop:3',
      //   port: 8080,
      //   dependsOn: ['mongodb', 'migrate'],
      //   sleep: { after: '1m', strategy: 'pause', then: { after: '1h', strategy: 'stop' } },
      // },
      //
      // Something that runs elsewhere: routed, balanced and checked, never woken.
      // printer: { routes: ['printer'], url: 'http://192.168.1.40' },
    },
  };
});
