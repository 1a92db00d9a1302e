import { createServer } from 'node:https';
import { connect } from 'node:net';
import { settings } from './settings.mjs';

/**
 * Not to be used: it reads no head, checks nothing and believes everything. What it takes is what Node's own HTTP server,
 * TLS and sockets take for a request that asks somebody else: the least that any proxy on top of them can.
 */
const END_OF_HEAD = Buffer.from('\r\n\r\n');
const buffer = Buffer.alloc(65_536);
/** @type {((use: import('node:http').ServerResponse) => void)[]} */
const idle = [];

function openConnection() {
  /** @type {import('node:http').ServerResponse | undefined} */
  let response;
  const onread = { buffer, callback };
  const socket = connect({ host: '127.0.0.1', port: settings.upstreamPort, noDelay: true, onread });
  // Who listens makes it be read.
  socket.on('data', () => {});
  socket.on('error', (error) => response?.destroy(error));

  /** @param {import('node:http').ServerResponse} next */
  function use(next) {
    response = next;
    socket.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n', 'latin1');
  }

  /** @param {number} length */
  function callback(length) {
    const answered = response;
    const content = buffer.toString('latin1', buffer.indexOf(END_OF_HEAD) + END_OF_HEAD.length, length);
    idle.push(use);
    answered?.writeHead(200, ['Content-Type', 'text/plain', 'Content-Length', String(content.length)]);
    answered?.write(content, 'latin1', () => answered.end());
    return true;
  }
  return use;
}

createServer(settings.tls, (_request, response) => {
  const use = idle.pop() ?? openConnection();
  use(response);
}).listen({ port: settings.port, host: '127.0.0.1', backlog: 4096 });
