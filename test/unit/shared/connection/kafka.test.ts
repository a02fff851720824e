import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { ConnectionError } from '../../../../shared/connection/connection.ts';
import { KafkaConnector } from '../../../../shared/connection/kafka.ts';
import { decodeRequestHeader, encodeResponseFrame } from '../../../../shared/protocol/headers.ts';
import { ApiVersions } from '../../../../shared/protocol/messages/api-versions.ts';
import { Fetch } from '../../../../shared/protocol/messages/fetch.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../../../shared/protocol/messages/produce.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';

interface Peer {
  readonly port: number;
  readonly sockets: Socket[];
  /** Chunks received. */
  reads: number;
}

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close();
});

type Header = ReturnType<typeof decodeRequestHeader>;
type Serve = (header: Header, body: Buffer, socket: Socket) => void;

/** A broker of few words: calls `serve` for every whole frame. */
async function startPeer(serve: Serve): Promise<Peer> {
  const peer = { port: 0, sockets: [] as Socket[], reads: 0 };
  const server = createServer(socket => {
    peer.sockets.push(socket);
    let received = Buffer.alloc(0);
    socket.on('error', () => {});
    socket.on('data', chunk => {
      peer.reads++;
      received = Buffer.concat([received, chunk]);
      while (received.length >= 4 && received.length >= 4 + received.readInt32BE(0)) {
        const frame = received.subarray(4, 4 + received.readInt32BE(0));
        received = received.subarray(4 + frame.length);
        const header = decodeRequestHeader(frame);
        serve(header, frame.subarray(header.bodyOffset), socket);
      }
    });
  });
  servers.push(server);
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve));
  peer.port = (server.address() as AddressInfo).port;
  return peer;
}

const versionList = [ApiVersions, Fetch, Metadata, Produce].map(api => ({
  apiKey: api.key,
  minVersion: 0,
  maxVersion: Math.min(api.versions.max, 8),
}));

function answerVersions(header: Header, socket: Socket): void {
  const body = ApiVersions.response.encode({ errorCode: 0, apiKeys: versionList }, header.apiVersion);
  write(socket, encodeResponseFrame(ApiVersions, header.apiVersion, header.correlationId, body));
}

function write(socket: Socket, chunks: Buffer[]): void {
  socket.write(Buffer.concat(chunks));
}

function connector(overrides: Partial<{ negotiate: boolean; requestTimeoutMs: number }> = {}): KafkaConnector {
  return new KafkaConnector({
    clientId: 'test',
    requestTimeoutMs: 5000,
    connectTimeoutMs: 5000,
    negotiate: true,
    timers: systemTimers,
    ...overrides,
  });
}

const metadataAnswer = (host: string, version: number) =>
  Metadata.response.encode(
    { brokers: [{ nodeId: 1, host, port: 9, rack: null }], controllerId: 1, topics: [] },
    version,
  );

const noTopics = { topics: [] };

describe('versions', () => {
  test('are learned at the start; a call takes the highest that both know', async () => {
    const asked: number[] = [];
    const { port } = await startPeer((header, _body, socket) => {
      asked.push(header.apiKey, header.apiVersion);
      if (header.apiKey === ApiVersions.key) {
        answerVersions(header, socket);
        return;
      }
      write(
        socket,
        encodeResponseFrame(Metadata, header.apiVersion, header.correlationId, metadataAnswer('h', header.apiVersion)),
      );
    });
    const connection = await connector().connect({ host: '127.0.0.1', port });
    expect(connection.versions(Metadata)).toEqual({ min: 0, max: 8 });
    expect((await connection.call(Metadata, noTopics))!.brokers[0]!.host).toBe('h');
    await connection.call(Metadata, noTopics, { version: 3 });
    expect(asked).toEqual([ApiVersions.key, 4, Metadata.key, 8, Metadata.key, 3]);
    await expect(connection.call(Metadata, noTopics, { version: 12 })).rejects.toMatchObject({
      code: 'UNSUPPORTED_VERSION',
    });
    connection.close();
  });

  test.each([
    ['one that names its range', [{ apiKey: 18, minVersion: 0, maxVersion: 2 }], 2],
    ['one too old to name it', [], 0],
  ])('step down for %s', async (_what, apiKeys, expected) => {
    const asked: number[] = [];
    const { port } = await startPeer((header, _body, socket) => {
      asked.push(header.apiVersion);
      if (header.apiVersion <= 2) {
        answerVersions(header, socket);
        return;
      }
      const body = ApiVersions.response.encode({ errorCode: 35, apiKeys }, 0);
      write(socket, encodeResponseFrame(ApiVersions, 0, header.correlationId, body));
    });
    const connection = await connector().connect({ host: '127.0.0.1', port });
    expect(asked).toEqual([4, expected]);
    connection.close();
  });
});

describe('calls', () => {
  test('of one turn go out in one write, in order, and each gets its answer', async () => {
    const order: string[] = [];
    const peer = await startPeer((header, body, socket) => {
      const { topics } = Metadata.request.decode(body, header.apiVersion);
      const name = topics![0]!.name!;
      order.push(name);
      write(
        socket,
        encodeResponseFrame(Metadata, header.apiVersion, header.correlationId, metadataAnswer(name, header.apiVersion)),
      );
    });
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port: peer.port });
    const names = [...Array(40).keys()].map(at => `t${at}`);
    const answers = await Promise.all(
      names.map(name => connection.call(Metadata, { topics: [{ name }] }, { version: 5 })),
    );
    expect(order).toEqual(names);
    expect(answers.map(answer => answer!.brokers[0]!.host)).toEqual(names);
    expect(peer.reads).toBe(1);
    connection.close();
  });

  test('a produce with acks=0 resolves with undefined and leaves the answers of others alone', async () => {
    const { port } = await startPeer((header, _body, socket) => {
      if (header.apiKey === Produce.key) return;
      write(
        socket,
        encodeResponseFrame(Metadata, header.apiVersion, header.correlationId, metadataAnswer('h', header.apiVersion)),
      );
    });
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    const produce = connection.call(Produce, { acks: 0, timeoutMs: 1, topicData: [] }, { version: 7 });
    const metadata = connection.call(Metadata, noTopics, { version: 1 });
    expect(await produce).toBeUndefined();
    expect((await metadata)!.brokers[0]!.host).toBe('h');
    connection.close();
  });

  test("large answers arrive whole and are the caller's own", async () => {
    const records = Buffer.alloc(3 << 20, 7);
    const { port } = await startPeer((header, _body, socket) => {
      const partition = { partitionIndex: 0, errorCode: 0, highWatermark: 1, records };
      const body = Fetch.response.encode({ responses: [{ topic: 't', partitions: [partition] }] }, header.apiVersion);
      write(socket, encodeResponseFrame(Fetch, header.apiVersion, header.correlationId, body));
    });
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    const request = { maxWaitMs: 0, minBytes: 0, topics: [] } as never;
    const answers = await Promise.all([1, 2, 3].map(() => connection.call(Fetch, request, { version: 11 })));
    for (const answer of answers) {
      expect((answer!.responses[0]!.partitions[0]!.records as Buffer).equals(records)).toBe(true);
    }
    connection.close();
  });
});

describe('failures', () => {
  const rejection = async (promise: Promise<unknown>) => {
    const error = await promise.then(
      () => new Error('it did not fail'),
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ConnectionError);
    return (error as ConnectionError).code;
  };

  test('nobody listens', async () => {
    const peer = await startPeer(() => {});
    servers.pop()!.close();
    expect(await rejection(connector().connect({ host: '127.0.0.1', port: peer.port }))).toBe('REFUSED');
  });

  test('no answer in time closes the connection and fails the other calls', async () => {
    const { port } = await startPeer(() => {});
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    let closed = 0;
    connection.onClose(() => closed++);
    const slow = connection.call(Metadata, noTopics, { version: 1, timeoutMs: 20 });
    const other = connection.call(Metadata, noTopics, { version: 1 });
    expect(await rejection(slow)).toBe('TIMED_OUT');
    expect(await rejection(other)).toBe('TIMED_OUT');
    expect(connection.closed).toBe(true);
    expect(closed).toBe(1);
    expect(await rejection(connection.call(Metadata, noTopics, { version: 1 }))).toBe('TIMED_OUT');
  });

  test('no answer to the negotiation in time', async () => {
    const { port } = await startPeer(() => {});
    expect(await rejection(connector({ requestTimeoutMs: 20 }).connect({ host: '127.0.0.1', port }))).toBe('TIMED_OUT');
  });

  test('the peer closes', async () => {
    const { port } = await startPeer((_header, _body, socket) => socket.destroy());
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    expect(await rejection(connection.call(Metadata, noTopics, { version: 1 }))).toBe('CLOSED');
    expect(connection.closed).toBe(true);
  });

  test('closing fails the calls under way', async () => {
    const { port } = await startPeer(() => {});
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    const call = connection.call(Metadata, noTopics, { version: 1 });
    connection.close();
    connection.close();
    expect(await rejection(call)).toBe('CLOSED');
  });

  test.each([
    [
      'an answer to another request',
      (header: Header) => encodeResponseFrame(Metadata, 1, header.correlationId + 1, []),
    ],
    [
      'an answer that is none',
      (header: Header) => encodeResponseFrame(Metadata, 1, header.correlationId, [Buffer.from([9])]),
    ],
    ['HTTP', () => [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')]],
    ['an answer without a correlation id', () => [Buffer.from([0, 0, 0, 2, 1, 1])]],
  ])('%s', async (_what, answer) => {
    const { port } = await startPeer((header, _body, socket) => write(socket, answer(header)));
    const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port });
    expect(await rejection(connection.call(Metadata, noTopics, { version: 1 }))).toBe('BAD_RESPONSE');
    expect(connection.closed).toBe(true);
  });
});

test('an answer goes where its own call wants it', async () => {
  const peer = await startPeer((header, _body, socket) => {
    const frame = encodeResponseFrame(Metadata, 1, header.correlationId, metadataAnswer(`h${header.correlationId}`, 1));
    write(socket, frame);
  });
  const connection = await connector({ negotiate: false }).connect({ host: '127.0.0.1', port: peer.port });
  const sizes: number[][] = [[], []];
  const allocate = (which: number) => (bytes: number) => {
    sizes[which]!.push(bytes);
    return Buffer.alloc(bytes);
  };
  const answers = await Promise.all([
    connection.call(Metadata, { topics: [] }, { version: 1, allocate: allocate(0) }),
    connection.call(Metadata, { topics: [] }, { version: 1 }),
    connection.call(Metadata, { topics: [] }, { version: 1, allocate: allocate(1) }),
  ]);
  expect(answers.map(answer => answer!.brokers[0]!.host)).toEqual(['h1', 'h2', 'h3']);
  expect(sizes.map(({ length }) => length)).toEqual([1, 1]);
  connection.close();
});
