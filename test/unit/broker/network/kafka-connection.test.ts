import { afterEach, describe, expect, test } from 'vitest';
import { CloseConnection } from '../../../../broker/request/handler.ts';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import {
  answerApiVersions,
  deferred,
  FETCH,
  frame,
  METADATA,
  PRODUCE,
  RawClient,
  startServer,
  stopServers,
  until,
  type Respond,
} from './harness.ts';

afterEach(stopServers);

const echo: Respond = body => [Buffer.from(body)];

/** Keeps every request until the test answers it, in any order. */
function held() {
  const requests: {
    body: Buffer;
    context: RequestContext;
    answer: (chunks: Buffer[] | undefined) => void;
    fail: (error: Error) => void;
  }[] = [];
  const respond: Respond = (body, context) => {
    const { promise, resolve, reject } = deferred<Buffer[] | undefined>();
    requests.push({ body, context, answer: resolve, fail: reject });
    return promise;
  };
  return { requests, respond };
}

describe('framing', () => {
  test('answers a request with its correlation id and body', async () => {
    const { port, answered } = await startServer({ respond: echo });
    const client = await RawClient.connect(port);
    client.write(frame(METADATA, 1, 77, Buffer.from('hello')));
    expect(await client.answer()).toEqual({ id: 77, body: Buffer.from('hello') });
    expect(answered).toEqual([[METADATA, 16, 13]]);
  });

  test('a null client id is served', async () => {
    let clientId: string | undefined;
    const { port } = await startServer({ respond: (_body, context) => ((clientId = context.clientId), []) });
    const client = await RawClient.connect(port);
    client.write(Buffer.from('0000000a 0003 0001 00000005 ffff'.replaceAll(' ', ''), 'hex'));
    expect((await client.answer()).id).toBe(5);
    expect(clientId).toBe('');
  });

  test('large bodies arrive whole, however they are cut', async () => {
    const { port } = await startServer({ respond: echo });
    const client = await RawClient.connect(port);
    const bodies = [3, 70_000, 1, 3_000_000, 0, 65_536, 16_384].map((size, at) => Buffer.alloc(size, at + 1));
    const stream = Buffer.concat(bodies.map((body, id) => frame(METADATA, 1, id, body)));
    for (let at = 0, step = 1; at < stream.length; at += step, step = (step * 7) % 90_001) {
      client.write(stream.subarray(at, at + step));
    }
    for (const [id, body] of bodies.entries()) {
      const answer = await client.answer();
      expect(answer.id).toBe(id);
      expect(answer.body.equals(body)).toBe(true);
    }
  });

  test('memory goes back when requests are answered', async () => {
    const { port, memory } = await startServer({ respond: echo });
    const client = await RawClient.connect(port);
    for (let id = 0; id < 20; id++) client.write(frame(PRODUCE, 7, id, Buffer.alloc(100_000)));
    expect(await client.answerIds(20)).toEqual([...Array(20).keys()]);
    await until(() => memory.bytesInFlight === 0, 'all memory being given back');
  });

  test.each([
    ['a negative size', 'ffffffff', /negative/],
    ['a size beyond the limit', '3fffffff', /socket\.request\.max\.bytes/],
    ['a TLS handshake', '16030102000100', /TLS/],
    ['a size too small for a header', '00000003', /too short/],
    ['an unknown API', '0000000a 03e7 0000 00000001 ffff', /key 999/],
    ['an unserved version', '0000000a 0003 0063 00000001 ffff', /version 99 of Metadata/],
    ['a client id longer than the frame', '0000000a 0003 0001 00000001 7fff', /clientId/],
  ])('%s closes that connection, with the reason in the log, and no other', async (_what, hex, reason) => {
    const { port, lines } = await startServer({ respond: echo });
    const neighbour = await RawClient.connect(port);
    const client = await RawClient.connect(port);
    client.write(Buffer.from(hex.replaceAll(' ', ''), 'hex'));
    await client.closed();
    expect(lines.filter(line => reason.test(line))).toHaveLength(1);
    neighbour.write(frame(METADATA, 1, 1));
    expect((await neighbour.answer()).id).toBe(1);
  });

  test('ApiVersions is passed on in any version', async () => {
    const { port } = await startServer({ respond: (_body, context) => answerApiVersions(context) });
    const client = await RawClient.connect(port);
    client.write(Buffer.from('0000000b 0012 0063 00000007 ffff 00'.replaceAll(' ', ''), 'hex'));
    const answer = await client.answer();
    expect(answer.id).toBe(7);
    expect(answer.body.toString('hex')).toBe('0023000000010012' + '00000004');
  });
});

describe('order', () => {
  test('a request starts only when the one before it is answered or parked', async () => {
    const { requests, respond } = held();
    const { port } = await startServer({ respond });
    const client = await RawClient.connect(port);
    client.write(frame(METADATA, 1, 0), frame(METADATA, 1, 1), frame(METADATA, 1, 2));
    await until(() => requests.length === 1);
    await new Promise(resolve => setImmediate(resolve));
    expect(requests).toHaveLength(1);
    requests[0]!.context.park();
    await until(() => requests.length === 2);
    requests[1]!.answer([]);
    await until(() => requests.length === 3);
  });

  test('answers go out in the order of the requests', async () => {
    const { requests, respond } = held();
    const { port } = await startServer({
      respond: (body, context) => {
        context.park();
        return respond(body, context);
      },
    });
    const client = await RawClient.connect(port);
    for (let id = 0; id < 5; id++) client.write(frame(PRODUCE, 7, id));
    await until(() => requests.length === 5);
    for (const at of [4, 2, 3, 1]) requests[at]!.answer([]);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(client.reads).toBe(0);
    requests[0]!.answer([]);
    expect(await client.answerIds(5)).toEqual([0, 1, 2, 3, 4]);
  });

  test('all answers of one turn are one write', async () => {
    const { requests, respond } = held();
    const { port } = await startServer({
      respond: (body, context) => {
        context.park();
        return respond(body, context);
      },
    });
    const client = await RawClient.connect(port);
    client.write(...[...Array(50).keys()].map(id => frame(PRODUCE, 7, id)));
    await until(() => requests.length === 50);
    for (const request of requests) request.answer([Buffer.alloc(100), Buffer.alloc(10)]);
    expect(await client.answerIds(50)).toEqual([...Array(50).keys()]);
    expect(client.reads).toBe(1);
  });

  test('a request without an answer does not hold up the next', async () => {
    const { port } = await startServer({ respond: (body, { apiKey }) => (apiKey === PRODUCE ? undefined : [body]) });
    const client = await RawClient.connect(port);
    client.write(frame(PRODUCE, 7, 1), frame(METADATA, 1, 2), frame(PRODUCE, 7, 3), frame(METADATA, 1, 4));
    expect(await client.answerIds(2)).toEqual([2, 4]);
  });

  test('only so many requests are under way at a time', async () => {
    const { requests, respond } = held();
    const { port } = await startServer({
      respond: (body, context) => {
        context.park();
        return respond(body, context);
      },
    });
    const client = await RawClient.connect(port);
    for (let id = 0; id < 200; id++) client.write(frame(PRODUCE, 7, id, Buffer.alloc(1000)));
    await until(() => requests.length === 64);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(requests).toHaveLength(64);
    for (let at = 0; at < 200; at++) {
      await until(() => requests.length > at);
      requests[at]!.answer([]);
    }
    expect(await client.answerIds(200)).toEqual([...Array(200).keys()]);
  });

  test('one Fetch at a time, other requests beside it', async () => {
    const { requests, respond } = held();
    const { port } = await startServer({
      respond: (body, context) => {
        context.park();
        return respond(body, context);
      },
    });
    const client = await RawClient.connect(port);
    client.write(frame(FETCH, 4, 0), frame(METADATA, 1, 1), frame(FETCH, 4, 2));
    await until(() => requests.length === 2);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(requests.map(({ context }) => context.apiKey)).toEqual([FETCH, METADATA]);
    for (const request of requests.slice()) request.answer([]);
    await until(() => requests.length === 3);
    requests[2]!.answer([]);
    expect(await client.answerIds(3)).toEqual([0, 1, 2]);
  });
});

describe('requests that end the connection', () => {
  test.each([
    ['CloseConnection', new CloseConnection('acks=0 failed'), /acks=0 failed/],
    ['a body that cannot be decoded', new ProtocolError('ProduceRequest v7: acks'), /acks/],
    ['a bug', new TypeError('oops'), /unexpectedly/],
  ])('%s: earlier requests are answered, later ones are not', async (_what, error, line) => {
    const { requests, respond } = held();
    const { port, lines, memory } = await startServer({
      respond: (body, context) => {
        context.park();
        return respond(body, context);
      },
    });
    const client = await RawClient.connect(port);
    client.write(frame(PRODUCE, 7, 0), frame(PRODUCE, 7, 1), frame(PRODUCE, 7, 2));
    await until(() => requests.length === 3);
    requests[2]!.answer([]);
    requests[1]!.fail(error);
    requests[0]!.answer([]);
    expect((await client.answer()).id).toBe(0);
    await client.closed();
    await expect(client.answer()).rejects.toThrow('closed');
    expect(lines.filter(text => line.test(text))).toHaveLength(1);
    await until(() => memory.bytesInFlight === 0);
  });

  test('thrown at once', async () => {
    const { port } = await startServer({
      respond: () => {
        throw new CloseConnection('no');
      },
    });
    const client = await RawClient.connect(port);
    client.write(frame(PRODUCE, 7, 0), frame(METADATA, 1, 1));
    await client.closed();
  });
});

describe('the end of a connection', () => {
  test('what came before the FIN is answered', async () => {
    const { port } = await startServer({ respond: async body => (await new Promise(r => setTimeout(r, 5)), [body]) });
    const client = await RawClient.connect(port);
    client.socket.end(Buffer.concat([...Array(10).keys()].map(id => frame(METADATA, 1, id))));
    expect(await client.answerIds(10)).toEqual([...Array(10).keys()]);
    await client.closed();
  });

  test('tells requests under way, and keeps their memory until they are done', async () => {
    const { requests, respond } = held();
    const { port, memory } = await startServer({ respond });
    const client = await RawClient.connect(port);
    client.write(frame(PRODUCE, 7, 0, Buffer.alloc(5000, 7)), frame(PRODUCE, 7, 1));
    await until(() => requests.length === 1);
    const { connection } = requests[0]!.context;
    client.socket.resetAndDestroy();
    // The socket is not read while a complete request waits, so its end shows when the first one is done with.
    requests[0]!.context.park();
    await until(() => requests.length === 2);
    requests[1]!.context.park();
    await until(() => connection.closed.aborted, 'the abort signal');
    expect(memory.bytesInFlight).toBe(5011 + 11);
    expect(requests[0]!.body.every(byte => byte === 7)).toBe(true);
    requests[0]!.answer([]);
    requests[1]!.answer([]);
    await until(() => memory.bytesInFlight === 0);
  });

  test('close lets requests under way be answered and starts no further one', async () => {
    const { requests, respond } = held();
    const { server, port } = await startServer({ respond });
    const client = await RawClient.connect(port);
    const idle = await RawClient.connect(port);
    idle.write(frame(METADATA, 1, 9));
    await until(() => requests.length === 1);
    requests[0]!.answer([]);
    await idle.answer();
    client.write(frame(METADATA, 1, 1), frame(METADATA, 1, 2));
    await until(() => requests.length === 2);
    const closed = server.close(5000);
    await idle.closed();
    requests[1]!.answer([Buffer.from('late')]);
    expect(await client.answer()).toEqual({ id: 1, body: Buffer.from('late') });
    await client.closed();
    await closed;
    expect(requests).toHaveLength(2);
    await expect(RawClient.connect(port)).rejects.toThrow('ECONNREFUSED');
  });
});

describe('back-pressure', () => {
  test('a peer that does not read its answers gets no further requests handled', async () => {
    let handled = 0;
    const big = Buffer.alloc(1 << 20);
    const { port } = await startServer({ respond: () => (handled++, [big]) });
    const client = await RawClient.connect(port);
    client.socket.pause();
    const requests = Buffer.concat([...Array(2000).keys()].map(id => frame(METADATA, 1, id)));
    client.write(requests);
    await until(() => handled > 0);
    let before = -1;
    while (before !== handled) {
      before = handled;
      await new Promise(resolve => setTimeout(resolve, 50));
    }
    // The kernel's buffers on both sides take a few megabytes; beyond them nothing is produced.
    expect(handled).toBeLessThan(64);
    client.socket.resume();
    await until(() => handled > before + 20, 'going on after the peer reads again');
  });

  test('memory that is short makes readers wait, and nobody starves', async () => {
    const { requests, respond } = held();
    const { port, memory } = await startServer({ respond, memoryBytes: 800_000 });
    const clients = await Promise.all([1, 2, 3, 4].map(() => RawClient.connect(port)));
    for (const client of clients) client.write(frame(PRODUCE, 7, 1, Buffer.alloc(300_000)));
    await until(() => requests.length === 2);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(requests).toHaveLength(2);
    expect(memory.bytesInFlight).toBeLessThanOrEqual(800_000);
    // Other requests have a share of their own.
    const other = await RawClient.connect(port);
    other.write(frame(METADATA, 1, 5));
    await until(() => requests.length === 3);
    for (const request of requests.slice()) request.answer([]);
    await until(() => requests.length === 5);
    for (const request of requests.slice(3)) request.answer([]);
    for (const client of clients) expect((await client.answer()).id).toBe(1);
    await until(() => memory.bytesInFlight === 0);
  });

  test('a request larger than the whole budget gets through alone', async () => {
    const { port } = await startServer({ respond: body => [Buffer.from([body.length >> 20])], memoryBytes: 100_000 });
    const clients = await Promise.all([1, 2, 3].map(() => RawClient.connect(port)));
    for (const client of clients) client.write(frame(PRODUCE, 7, 1, Buffer.alloc(5 << 20)));
    for (const client of clients) expect((await client.answer()).body).toEqual(Buffer.from([5]));
  });

  test('requests that are announced and not sent keep nobody waiting', async () => {
    const { port, lines } = await startServer({ respond: () => [], memoryBytes: 100_000 });
    const silent = await Promise.all([1, 2].map(() => RawClient.connect(port)));
    for (const client of silent) client.write(frame(METADATA, 1, 1, Buffer.alloc(6000)).subarray(0, 100));
    const neighbour = await RawClient.connect(port);
    neighbour.write(frame(METADATA, 1, 5, Buffer.alloc(8000)));
    expect((await neighbour.answer()).id).toBe(5);
    await Promise.race(silent.map(client => client.closed()));
    expect(lines).toContain(
      'closing the connection: others wait for the memory of the request that it has begun and sends too slowly',
    );
  });

  test('a connection that dies while it waits for memory leaves the line', async () => {
    const { requests, respond } = held();
    const { port, memory } = await startServer({ respond, memoryBytes: 100_000 });
    const first = await RawClient.connect(port);
    first.write(frame(PRODUCE, 7, 1, Buffer.alloc(80_000)));
    await until(() => requests.length === 1);
    const dying = await RawClient.connect(port);
    dying.write(frame(PRODUCE, 7, 1, Buffer.alloc(60_000)).subarray(0, 100));
    const last = await RawClient.connect(port);
    last.write(frame(PRODUCE, 7, 1, Buffer.alloc(10_000)));
    await new Promise(resolve => setTimeout(resolve, 20));
    dying.socket.resetAndDestroy();
    requests[0]!.answer([]);
    await until(() => requests.length === 2);
    requests[1]!.answer([]);
    expect((await last.answer()).id).toBe(1);
    await until(() => memory.bytesInFlight === 0, 'the dead connection giving back its memory');
  });
});
