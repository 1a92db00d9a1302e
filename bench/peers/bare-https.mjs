import { createServer } from 'node:https';
import { WebSocketServer } from 'ws';
import { settings } from './settings.mjs';

const BODY = 'The quick brown fox is awake.';

const server = createServer(settings.tls, (_request, response) => {
  response.writeHead(200, { 'Content-Type': 'text/plain', 'Content-Length': BODY.length });
  response.end(BODY);
});
new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket) => {
  socket.on('error', () => socket.terminate());
  socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary }));
});
server.listen({ port: settings.port, host: '127.0.0.1', backlog: 4096 });
