import { createServer } from 'node:https';
import { Socket } from 'node:net';
import { createProxyServer } from 'httpxy';
import { settings } from './settings.mjs';

const { agent, upstream, echo } = settings;
const files = createProxyServer({ target: upstream, agent });
const sockets = createProxyServer({ target: echo });
for (const proxy of [files, sockets]) proxy.on('error', () => undefined);

const server = createServer(settings.tls, (request, response) => {
  files.web(request, response).catch(() => response.destroy());
});
server.on('upgrade', (request, socket, head) => {
  if (socket instanceof Socket) sockets.ws(request, socket, {}, head).catch(() => socket.destroy());
});
server.listen({ port: settings.port, host: '127.0.0.1', backlog: 4096 });
