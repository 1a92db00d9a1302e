const { existsSync, readFileSync } = require('node:fs');
const { join } = require('node:path');

/**
 * pm2: `npm run proxy-production` builds and starts this. `control` decides what runs, `proxy` moves bytes, in as many
 * processes as WORKERS says. Each may be reloaded, or killed, without the other: see docs/ARCHITECTURE.md.
 */
const { workers, drainTimeoutMs } = settings();

/** Read as the daemon itself reads them: from .env in the working directory, overridden by the environment. */
function settings() {
  const built = join(__dirname, 'dist/config/settings.js');
  if (!existsSync(built)) throw new Error(`${built} is not there: run \`npm run build\` first`);
  const { loadSettings } = require(built);
  const dotenv = existsSync('.env') ? readFileSync('.env', 'utf8') : '';
  try {
    return loadSettings({ ...process.env, ENV: 'production' }, dotenv);
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

const common = {
  script: join(__dirname, 'dist/main.js'),
  // V8 would drop the code of what nobody has called for a while; the first requests after a rest would pay for it.
  node_args: ['--no-flush-bytecode'],
  cwd: process.cwd(),
  wait_ready: true,
  max_restarts: 1_000_000,
  exp_backoff_restart_delay: 100,
  // A configuration that is refused is refused again.
  stop_exit_codes: [2],
  env_production: { ENV: 'production', NODE_ENV: 'production' },
};

module.exports = {
  apps: [
    {
      ...common,
      name: 'control',
      args: 'control',
      exec_mode: 'fork',
      listen_timeout: 60_000,
      kill_timeout: 20_000,
    },
    {
      ...common,
      name: 'proxy',
      args: 'proxy',
      exec_mode: 'cluster',
      instances: workers,
      // One that waits for the control process is not ready: until it is, its predecessor serves.
      listen_timeout: 120_000,
      // Above DRAIN_TIMEOUT, so that pm2 does not cut what is being finished.
      kill_timeout: drainTimeoutMs + 10_000,
    },
  ],
};
