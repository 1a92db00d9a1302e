import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { Worker } from 'node:worker_threads';
import type { Endpoint } from '../../../src/seam/fleet-view.ts';

/** Listens, and then never looks again. */
const LISTENS = `
  const { parentPort } = require('node:worker_threads');
  const server = require('node:net').createServer();
  server.listen({ port: 0, host: '127.0.0.1', backlog: 1 }, () => {
    parentPort.postMessage(server.address().port);
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);
  });
`;
/** Linux queues one connection more than the backlog says, and answers no further one. */
const QUEUED = 2;

/** An address where a connection neither comes about nor fails: somebody listens, whose queue is full (Linux). */
export class DeafListener {
  readonly #worker = new Worker(LISTENS, { eval: true });
  readonly #queued: Socket[] = [];
  #port = 0;

  async start(): Promise<this> {
    const [port] = (await once(this.#worker, 'message')) as [number];
    this.#port = port;
    for (let count = 0; count < QUEUED; count += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.on('error', () => undefined);
      this.#queued.push(socket);
      await once(socket, 'connect');
    }
    return this;
  }

  get endpoint(): Endpoint {
    return { host: '127.0.0.1', port: this.#port };
  }

  async close(): Promise<void> {
    for (const socket of this.#queued) socket.destroy();
    await this.#worker.terminate();
  }
}
