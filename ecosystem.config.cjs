/**
 * pm2: `npm run proxy-production` builds and starts this. One process holds both halves: `pm2 restart` drains and starts
 * again, containers go on running meanwhile. Proxy workers of their own, one per core, come with the data path release.
 */
module.exports = {
  apps: [
    {
      name: 'reveille',
      script: 'dist/main.js',
      exec_mode: 'fork',
      wait_ready: true,
      listen_timeout: 30_000,
      // Above DRAIN_TIMEOUT, so that pm2 does not cut what is being finished.
      kill_timeout: 40_000,
      max_restarts: 50,
      exp_backoff_restart_delay: 200,
      env_production: { ENV: 'production', NODE_ENV: 'production' },
    },
  ],
};
