import { createServer } from 'node:https';
import { settings } from './settings.mjs';

const BODY = 'The quick brown fox is awake.';

const server = createServer(settings.tls, (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  response.end(BODY);
});
server.listen({ port: settings.port, host: '127.0.0.1', backlog: 4096 });
