import type { LookupAddress, LookupOptions } from 'node:dns';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo } from 'node:net';
import { describe, expect, it } from 'vitest';
import { isLocalhostName, localhostLookup } from '../../../src/lib/localhost-lookup.ts';

function look(hostname: string, options: LookupOptions | number): Promise<[string | LookupAddress[], number?]> {
  return new Promise((resolve, reject) => {
    localhostLookup(hostname, options, (error, address, family) => {
      if (error) reject(error);
      else resolve(family === undefined ? [address] : [address, family]);
    });
  });
}

describe('localhost lookup', () => {
  it.each(['localhost', 'LOCALHOST', 'app.localhost', 'a.b.localhost', 'app.localhost.'])(
    'resolves %s to this machine',
    async (name) => {
      expect(await look(name, {})).toEqual(['127.0.0.1', 4]);
    },
  );

  it.each(['localhost.example.com', 'notlocalhost', 'example', ''])('leaves %s to the system', (name) => {
    expect(isLocalhostName(name)).toBe(false);
  });

  it('answers with a list when all addresses are asked for', async () => {
    expect(await look('app.localhost', { all: true })).toEqual([[{ address: '127.0.0.1', family: 4 }]]);
  });

  it('answers in the family that is asked for', async () => {
    expect(await look('app.localhost', 4)).toEqual(['127.0.0.1', 4]);
    expect(await look('app.localhost', 6)).toEqual(['::1', 6]);
    expect(await look('app.localhost', { family: 'IPv6', all: true })).toEqual([[{ address: '::1', family: 6 }]]);
  });

  it('takes the callback in the place of the options', async () => {
    const address = await new Promise((resolve) => localhostLookup('app.localhost', (_error, found) => resolve(found)));
    expect(address).toBe('127.0.0.1');
  });

  it('calls back only after it has returned', async () => {
    let returned = false;
    const called = new Promise((resolve) => localhostLookup('app.localhost', () => resolve(returned)));
    returned = true;
    expect(await called).toBe(true);
  });

  it('passes literal addresses and failures of the system on', async () => {
    expect(await look('192.0.2.7', {})).toEqual(['192.0.2.7', 4]);
    await expect(look('no-such-name.invalid', {})).rejects.toMatchObject({ syscall: 'getaddrinfo' });
  });

  it('lets node:net connect to a name under localhost', async () => {
    const server = createServer((socket) => socket.end('hello')).listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({ host: 'app.alkimia.localhost', port, lookup: localhostLookup });
    const [data] = (await once(socket, 'data')) as [Buffer];
    expect(data.toString()).toBe('hello');
    server.close();
  });
});
