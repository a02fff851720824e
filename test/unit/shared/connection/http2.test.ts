import { createServer, type Http2Server, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionError, type Connection } from '../../../../shared/connection/connection.ts';
import { Http2Connector } from '../../../../shared/connection/http2.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';

interface Call {
  readonly path: string;
  readonly clientId: unknown;
  readonly body: Buffer;
  readonly stream: ServerHttp2Stream;
  readonly answer: (body: Buffer[], status?: number) => void;
}

const servers: Http2Server[] = [];
const sessions: ServerHttp2Session[] = [];
const connections: Connection[] = [];

afterEach(() => {
  for (const connection of connections.splice(0)) connection.close();
  for (const session of sessions.splice(0)) session.destroy();
  for (const server of servers.splice(0)) server.close();
});

/** A broker that answers ApiVersions by itself and hands every other RPC to `serve`. */
async function connectTo(serve: (call: Call) => void, requestTimeoutMs = 5000): Promise<Connection> {
  const server = createServer();
  servers.push(server);
  server.on('session', session => sessions.push(session));
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('error', () => {});
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const answer = (body: Buffer[], status = 200) => {
        const whole = Buffer.concat(body);
        stream.respond({ ':status': status, 'content-length': whole.length });
        stream.end(whole);
      };
      const path = headers[':path']!;
      const call = { path, clientId: headers['x-client-id'], body: Buffer.concat(chunks), stream, answer };
      if (path.startsWith('/v1/rpc/ApiVersions?')) answer(versions());
      else serve(call);
    });
  });
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  const connector = new Http2Connector({
    clientId: 'me',
    requestTimeoutMs,
    connectTimeoutMs: 5000,
    timers: systemTimers,
  });
  const connection = await connector.connect({ host: '127.0.0.1', port: (server.address() as AddressInfo).port });
  connections.push(connection);
  return connection;
}

function versions(): Buffer[] {
  const apiKeys = [Metadata, Produce].map(({ key, versions: { min } }) => ({
    apiKey: key,
    minVersion: min,
    maxVersion: 8,
  }));
  return ApiVersions.response.encode({ errorCode: 0, apiKeys }, 0);
}

const metadata = (host: string) =>
  Metadata.response.encode({ brokers: [{ nodeId: 1, host, port: 9, rack: null }], controllerId: 1, topics: [] }, 8);
const noTopics = { topics: [] };

async function rejection(promise: Promise<unknown>): Promise<ConnectionError> {
  const error = await promise.then(
    () => new Error('it did not fail'),
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(ConnectionError);
  return error as ConnectionError;
}

describe('calls', () => {
  test('name API, version and client, and get their answers in any order', async () => {
    const calls: Call[] = [];
    const connection = await connectTo(call => {
      calls.push(call);
      if (calls.length < 3) return;
      for (const [at, { answer }] of [...calls.entries()].reverse()) answer(metadata(`h${at}`));
    });
    const answers = await Promise.all([1, 2, 3].map(() => connection.call(Metadata, noTopics)));
    expect(answers.map(answer => answer!.brokers[0]!.host)).toEqual(['h0', 'h1', 'h2']);
    expect(calls[0]!.path).toBe('/v1/rpc/Metadata?version=8');
    expect(calls[0]!.clientId).toBe('me');
    const ids = calls.map(({ stream }) => stream.id!);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
  });

  test('204 is no answer', async () => {
    const connection = await connectTo(({ stream }) => stream.respond({ ':status': 204 }, { endStream: true }));
    const request = { acks: 0, timeoutMs: 1, topicData: [] };
    expect(await connection.call(Produce, request)).toBeUndefined();
  });

  test('more calls than the peer allows streams wait for their turn', async () => {
    let underWay = 0;
    const connection = await connectTo(({ answer }) => {
      underWay++;
      setImmediate(() => answer(metadata('h')));
    });
    await Promise.all([...Array(500).keys()].map(() => connection.call(Metadata, noTopics)));
    expect(underWay).toBe(500);
  });
});

describe('failures', () => {
  test("the broker's sentence is passed on", async () => {
    const connection = await connectTo(({ answer }) =>
      answer([Buffer.from('{"error_code":400,"message":"No such thing."}')], 400),
    );
    const error = await rejection(connection.call(Metadata, noTopics));
    expect([error.code, error.message]).toEqual(['BAD_RESPONSE', expect.stringContaining('No such thing.')]);
    expect(connection.closed).toBe(false);
  });

  test('an answer that cannot be decoded', async () => {
    const connection = await connectTo(({ answer }) => answer([Buffer.from([1, 2, 3])]));
    expect((await rejection(connection.call(Metadata, noTopics))).code).toBe('BAD_RESPONSE');
  });

  test('a reset concerns one call', async () => {
    let first = true;
    const connection = await connectTo(({ stream, answer }) => {
      if (first) stream.close(2);
      else answer(metadata('h'));
      first = false;
    });
    expect((await rejection(connection.call(Metadata, noTopics))).code).toBe('CLOSED');
    expect((await connection.call(Metadata, noTopics))!.brokers).toHaveLength(1);
  });

  test('an API that the peer does not serve, and versions with nothing in common', async () => {
    const connection = await connectTo(() => {});
    const { ListOffsets } = await import('../../../../shared/protocol/messages/list-offsets.ts');
    expect((await rejection(connection.call(ListOffsets, { replicaId: -1, topics: [] }))).code).toBe(
      'UNSUPPORTED_VERSION',
    );
    expect((await rejection(connection.call(Metadata, noTopics, { version: 12 }))).code).toBe('UNSUPPORTED_VERSION');
  });

  test('no answer in time closes the connection', async () => {
    const connection = await connectTo(() => {});
    let closed = 0;
    connection.onClose(() => closed++);
    expect((await rejection(connection.call(Metadata, noTopics, { timeoutMs: 20 }))).code).toBe('TIMED_OUT');
    expect([connection.closed, closed]).toEqual([true, 1]);
  });

  test('the death of the session fails all calls', async () => {
    const connection = await connectTo(({ stream }) => stream.session?.destroy());
    const calls = [1, 2, 3].map(() => rejection(connection.call(Metadata, noTopics)));
    for (const error of await Promise.all(calls)) expect(error.code).toBe('CLOSED');
    expect(connection.closed).toBe(true);
  });

  test('a peer that goes away lets calls under way finish and takes no new ones', async () => {
    const connection = await connectTo(({ stream, answer }) => {
      stream.session!.close();
      setTimeout(() => answer(metadata('last')), 30);
    });
    const gone = new Promise<void>(resolve => connection.onClose(resolve));
    const answer = await connection.call(Metadata, noTopics);
    expect(answer!.brokers[0]!.host).toBe('last');
    expect((await rejection(connection.call(Metadata, noTopics))).code).toBe('CLOSED');
    await gone;
    expect(connection.closed).toBe(true);
  });

  test('nobody listens', async () => {
    const connector = new Http2Connector({
      clientId: '',
      requestTimeoutMs: 1000,
      connectTimeoutMs: 1000,
      timers: systemTimers,
    });
    expect((await rejection(connector.connect({ host: '127.0.0.1', port: 1 }))).code).toBe('REFUSED');
  });
});
