import { PATIENCE_MS } from '../../support/wire/byte-peer.ts';
import { once } from 'node:events';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { connect } from 'node:tls';
import type { CaseBench } from '../rig/case-bench.ts';
import { verdict, type ConformanceCase } from '../rig/conformance-case.ts';

async function handshake(bench: CaseBench, options: ConnectionOptions): Promise<TLSSocket | undefined> {
  const socket = connect({ ...bench.tls, ...options });
  socket.on('error', () => undefined);
  await new Promise<void>((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', () => resolve());
  });
  return socket.destroyed ? undefined : socket;
}

export const tls: readonly ConformanceCase[] = [
  {
    id: 'tls-old',
    title: 'TLS 1.1 is refused',
    reference: 'RFC 8996; scenario 40',
    run: async (bench) => {
      // Security level 0, or this client would not offer it.
      const socket = await handshake(bench, {
        minVersion: 'TLSv1',
        maxVersion: 'TLSv1.1',
        ciphers: 'DEFAULT:@SECLEVEL=0',
      });
      const seen = socket?.getProtocol() ?? 'refused';
      socket?.destroy();
      return verdict(socket === undefined, seen);
    },
  },
  ...(['TLSv1.2', 'TLSv1.3'] as const).map((version): ConformanceCase => ({
    id: `tls-${version.slice(4)}`,
    title: `${version.replace('v', ' ')} is spoken`,
    reference: 'RFC 9325 3.1; scenario 40',
    run: async (bench) => {
      const socket = await handshake(bench, { minVersion: version, maxVersion: version });
      const seen = socket === undefined ? 'refused' : `${String(socket.getProtocol())}, ${socket.getCipher().name}`;
      socket?.destroy();
      return verdict(socket !== undefined, seen);
    },
  })),
  {
    id: 'tls-static-key',
    title: 'Key exchange without forward secrecy, and CBC, are refused',
    reference: 'RFC 9325 4.1; scenario 40',
    run: async (bench) => {
      const weak = 'AES128-SHA:AES256-GCM-SHA384:ECDHE-ECDSA-AES128-SHA:ECDHE-ECDSA-AES256-SHA384:@SECLEVEL=0';
      const socket = await handshake(bench, { maxVersion: 'TLSv1.2', ciphers: weak });
      const seen = socket?.getCipher().name ?? 'refused';
      socket?.destroy();
      return verdict(socket === undefined, seen);
    },
  },
  {
    id: 'tls-alpn',
    title: 'ALPN offers h2 and http/1.1, h2 first',
    reference: 'RFC 7301, RFC 9113 3.2; scenario 40',
    http2: true,
    run: async (bench) => {
      const both = await handshake(bench, { ALPNProtocols: ['http/1.1', 'h2'] });
      const old = await handshake(bench, { ALPNProtocols: ['http/1.1'] });
      const seen = [both, old].map((socket) => String(socket?.alpnProtocol ?? 'refused'));
      both?.destroy();
      old?.destroy();
      return verdict(seen[0] === 'h2' && seen[1] === 'http/1.1', seen.join(', '));
    },
  },
  {
    id: 'tls-no-sni',
    title: 'A client without a name is served or refused in the handshake, and others are served after it',
    reference: 'RFC 6066 3; scenario 24',
    run: async (bench) => {
      const socket = await handshake(bench, { servername: '', rejectUnauthorized: false });
      const seen = socket === undefined ? 'refused' : 'served';
      socket?.destroy();
      const after = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      return verdict(after.responses[0]?.content === 'ok', seen);
    },
  },
  {
    id: 'tls-resumption',
    title: 'A session is resumed',
    reference: 'RFC 8446 2.2; scenario 40',
    run: async (bench) => {
      const first = connect({ ...bench.tls });
      const session = once(first, 'session') as Promise<[Buffer]>;
      await once(first, 'secureConnect');
      first.write('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      first.resume();
      const ticket = await Promise.race([
        session,
        new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS)),
      ]);
      first.destroy();
      if (ticket === undefined) return verdict(false, 'no ticket');
      const second = await handshake(bench, { session: ticket[0] });
      const reused = second?.isSessionReused() === true;
      second?.destroy();
      return verdict(reused, reused ? 'resumed' : 'full handshake');
    },
  },
  {
    id: 'tls-renegotiation',
    title: 'A client cannot renegotiate',
    reference: 'CVE-2011-1473, RFC 9325 3.5',
    run: async (bench) => {
      const socket = await handshake(bench, { maxVersion: 'TLSv1.2', ALPNProtocols: ['http/1.1'] });
      if (socket === undefined) return verdict(false, 'refused');
      const renewed = await new Promise<boolean>((resolve) => {
        const timer = setTimeout(() => resolve(false), 700);
        socket.on('close', () => resolve(false));
        socket.renegotiate({ rejectUnauthorized: false }, (error) => {
          clearTimeout(timer);
          resolve(error === null);
        });
      });
      socket.destroy();
      return verdict(!renewed, renewed ? 'renegotiated' : 'refused');
    },
  },
  {
    id: 'tls-plain-http',
    title: 'Plain HTTP on the TLS port ends the connection and nothing else',
    reference: 'RFC 8446 6.2; scenario 24',
    run: async (bench) => {
      const plain = await bench.plain();
      plain.send('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      const gone = await plain.changes.until(() => plain.gone || plain.received !== '', PATIENCE_MS);
      const after = await bench.exchange('GET / HTTP/1.1\r\nHost: app.test\r\n\r\n');
      return verdict(gone && after.responses[0]?.content === 'ok', plain.received.slice(9, 12) || 'closed');
    },
  },
];
