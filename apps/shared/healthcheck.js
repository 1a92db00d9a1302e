/**
 * HEALTHCHECK of the images, as a command without a shell: exits 0 when `/ping` answers 200.
 * Usage: node healthcheck.js [path]
 */
import { get } from 'node:http';

const request = get(
  { host: '127.0.0.1', port: Number(process.env.PORT || 3000), path: process.argv[2] ?? '/ping', timeout: 2_000 },
  (response) => {
    response.resume();
    process.exit(response.statusCode === 200 ? 0 : 1);
  },
);
request.on('timeout', () => request.destroy(new Error('No answer within two seconds.')));
request.on('error', (error) => {
  process.stderr.write(`${error.message}\n`);
  process.exit(1);
});
