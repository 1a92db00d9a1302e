import { createServer } from 'node:https';
import httpProxy from 'http-proxy';
import { settings } from './settings.mjs';

const { agent, upstream, echo } = settings;
const files = httpProxy.createProxyServer({ target: upstream, agent });
const sockets = httpProxy.createProxyServer({ target: echo });
for (const proxy of [files, sockets]) proxy.on('error', (_error, _request, answer) => void answer.destroy());

const server = createServer(settings.tls, (request, response) => files.web(request, response));
server.on('upgrade', (request, socket, head) => sockets.ws(request, socket, head));
server.listen({ port: settings.port, host: '127.0.0.1', backlog: 4096 });
