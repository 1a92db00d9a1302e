import type {
  ServerDuplexStream,
  sendUnaryData,
  ServerUnaryCall,
  ServerWritableStream,
  ServiceError,
} from '@grpc/grpc-js';
import { Client, credentials, Metadata, Server, ServerCredentials, status } from '@grpc/grpc-js';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { dataHalfSetUp } from '../support/set-ups/data-half-set-up.ts';
import { awakeView } from '../support/samples/service-view.ts';
import { until } from '../support/until.ts';

const text = {
  requestSerialize: (value: string): Buffer => Buffer.from(value),
  requestDeserialize: (bytes: Buffer): string => bytes.toString(),
  responseSerialize: (value: string): Buffer => Buffer.from(value),
  responseDeserialize: (bytes: Buffer): string => bytes.toString(),
};

const GREETER = {
  unary: { path: '/test.Greeter/Unary', requestStream: false, responseStream: false, ...text },
  many: { path: '/test.Greeter/Many', requestStream: false, responseStream: true, ...text },
  chat: { path: '/test.Greeter/Chat', requestStream: true, responseStream: true, ...text },
};

describe('gRPC through the front door, to a service with protocol "h2c"', () => {
  const setUp = dataHalfSetUp();
  const open: (() => void)[] = [];
  afterEach(() => {
    for (const close of open.splice(0)) close();
  });

  async function openClient(cancelled = vi.fn()): Promise<Client> {
    const server = new Server();
    server.addService(GREETER, {
      unary: (call: ServerUnaryCall<string, string>, callback: sendUnaryData<string>) => {
        const trailer = new Metadata();
        trailer.set('x-trailer', String(call.metadata.get('x-custom')[0]));
        if (call.request === 'nobody') callback({ code: status.NOT_FOUND, details: 'nobody of that name' });
        else callback(null, `hello ${call.request}`, trailer);
      },
      many: (call: ServerWritableStream<string, string>) => {
        call.on('cancelled', cancelled);
        for (let at = 0; at < 3; at += 1) call.write(`${call.request} ${at}`);
        if (call.request !== 'endless') call.end();
      },
      chat: (call: ServerDuplexStream<string, string>) => {
        call.on('data', (value: string) => call.write(`re: ${value}`));
        call.on('end', () => call.end());
      },
    });
    const port = await new Promise<number>((resolve, reject) => {
      server.bindAsync('127.0.0.1:0', ServerCredentials.createInsecure(), (error, bound) => {
        if (error === null) resolve(bound);
        else reject(error);
      });
    });
    const upstreams = [{ id: 'web-1', endpoints: { 3000: { host: '127.0.0.1', port } } }];
    const { client: front } = await setUp([awakeView({ protocol: 'h2c', upstreams })]);
    const client = new Client(`127.0.0.1:${front.port}`, credentials.createSsl(Buffer.from(front.ca)), {
      'grpc.ssl_target_name_override': 'app.test',
      'grpc.default_authority': 'app.test',
      'grpc.enable_retries': 0,
    });
    open.push(() => {
      client.close();
      server.forceShutdown();
    });
    return client;
  }

  function unary(
    client: Client,
    name: string,
  ): Promise<{ error: ServiceError | null; value?: string; trailer: unknown }> {
    const metadata = new Metadata();
    metadata.set('x-custom', 'kept');
    return new Promise((resolve) => {
      let trailer: unknown;
      const { path, requestSerialize, responseDeserialize } = GREETER.unary;
      client
        .makeUnaryRequest(path, requestSerialize, responseDeserialize, name, metadata, (error, value) => {
          setImmediate(() => resolve({ error, trailer, ...(value !== undefined && { value }) }));
        })
        .on('status', ({ metadata: trailers }) => (trailer = trailers.get('x-trailer')[0]));
    });
  }

  it('answers a unary call, with the status and what else is in its trailers', async () => {
    const client = await openClient();
    expect(await unary(client, 'you')).toEqual({ error: null, value: 'hello you', trailer: 'kept' });
  });

  it('passes on an error that is told in trailers only', async () => {
    const { error } = await unary(await openClient(), 'nobody');
    expect(error).toMatchObject({ code: status.NOT_FOUND, details: 'nobody of that name' });
  });

  it('streams from the server, and cancels there what the client gives up', async () => {
    const cancelled = vi.fn();
    const client = await openClient(cancelled);
    const { path, requestSerialize, responseDeserialize } = GREETER.many;
    for (const [name, ends] of [
      ['a', true],
      ['endless', false],
    ] as const) {
      const seen: string[] = [];
      const call = client.makeServerStreamRequest(path, requestSerialize, responseDeserialize, name);
      const done = new Promise<number>((resolve) => call.on('status', ({ code }) => resolve(code)));
      call.on('error', () => undefined);
      call.on('data', (value: string) => seen.push(value));
      await until(() => seen.length === 3);
      expect(seen).toEqual([0, 1, 2].map((at) => `${name} ${at}`));
      if (!ends) call.cancel();
      expect(await done).toBe(ends ? status.OK : status.CANCELLED);
    }
    await until(() => cancelled.mock.calls.length === 1);
  });

  it('converses in both directions at once', async () => {
    const client = await openClient();
    const { path, requestSerialize, responseDeserialize } = GREETER.chat;
    const call = client.makeBidiStreamRequest(path, requestSerialize, responseDeserialize);
    const seen: string[] = [];
    call.on('data', (value: string) => seen.push(value));
    const done = new Promise<number>((resolve) => call.on('status', ({ code }) => resolve(code)));
    for (let at = 1; at <= 3; at += 1) {
      call.write(`line ${at}`);
      await until(() => seen.length === at);
    }
    call.end();
    expect(await done).toBe(status.OK);
    expect(seen).toEqual(['re: line 1', 're: line 2', 're: line 3']);
  });
});
