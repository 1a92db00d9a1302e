import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';
import { describe, expect, it } from 'vitest';
import { bind } from '../../../src/lib/bind.ts';

/** A server whose `listen` fails as the system would: tests often run as root, who may listen anywhere. */
class RefusedServer extends EventEmitter {
  readonly #code: string;

  constructor(code: string) {
    super();
    this.#code = code;
  }

  listen(): void {
    process.nextTick(() => this.emit('error', Object.assign(new Error(`listen ${this.#code}`), { code: this.#code })));
  }
}

const refusedWith = (code: string): Promise<number> =>
  bind(new RefusedServer(code) as unknown as Server, { address: '0.0.0.0', port: 443, setting: 'HTTPS_PORT' });

describe('bind', () => {
  it('tells the ways to allow a port that is forbidden', async () => {
    await expect(refusedWith('EACCES')).rejects.toMatchObject({ code: 'port_forbidden' });
    for (const way of [
      'setcap cap_net_bind_service',
      'net.ipv4.ip_unprivileged_port_start=443',
      'HTTPS_PORT',
      '0.0.0.0:443',
    ]) {
      await expect(refusedWith('EACCES')).rejects.toThrow(way);
    }
  });

  it.each([
    ['EADDRINUSE', 'port_taken', 'sport = :443'],
    ['EADDRNOTAVAIL', 'address_unavailable', 'LOCAL_IP'],
    ['EMFILE', 'listen_failed', 'EMFILE'],
  ])('explains %s', async (systemCode, code, part) => {
    await expect(refusedWith(systemCode)).rejects.toMatchObject({
      code,
      message: expect.stringContaining(part) as unknown,
    });
  });
});
