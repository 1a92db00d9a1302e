import type { ClientHttp2Session } from 'node:http2';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { afterEach } from 'vitest';
import { openHttp2, openTls } from '../clients/front-door-clients.ts';
import { FrontDoor, type FrontDoorOptions } from './front-door.ts';

/** The front door of one test with its clients; all of them are closed after it. */
export interface FrontDoorSetUp {
  readonly door: FrontDoor;
  open(options?: FrontDoorOptions): Promise<FrontDoor>;
  http2(): Promise<ClientHttp2Session>;
  tls(options?: ConnectionOptions): Promise<TLSSocket>;
}

export function frontDoorSetUp(): FrontDoorSetUp {
  let door: FrontDoor | undefined;
  const cleanups: (() => unknown)[] = [];
  afterEach(async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
    await door?.close();
    door = undefined;
  });
  return {
    get door(): FrontDoor {
      if (!door) throw new Error('the front door is not open');
      return door;
    },
    async open(options) {
      door = await FrontDoor.open(options);
      return door;
    },
    async http2() {
      const session = await openHttp2(this.door);
      cleanups.push(() => session.destroy());
      return session;
    },
    async tls(options = {}) {
      const socket = await openTls(this.door, options);
      cleanups.push(() => socket.destroy());
      return socket;
    },
  };
}
