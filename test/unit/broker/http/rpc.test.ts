import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { afterEach, describe, expect, test } from 'vitest';
import type { RequestContext } from '../../../../broker/request/context.ts';
import { CloseConnection } from '../../../../broker/request/handler.ts';
import { ProtocolError } from '../../../../shared/protocol/errors.ts';
import { Metadata } from '../../../../shared/protocol/messages/metadata.ts';
import { answerApiVersions, deferred, RawClient, stopServers, until, type Respond } from '../network/harness.ts';
import { answerOf, openSession, rpc, startHttp, stopApps } from './harness.ts';

const run = promisify(execFile);

afterEach(async () => {
  await stopApps();
  await stopServers();
});

const echo: Respond = body => [Buffer.from(body)];
const RPC = 'application/vnd.kafka.rpc';

function held() {
  const requests: { body: Buffer; context: RequestContext; answer: (chunks: Buffer[] | undefined) => void }[] = [];
  const respond: Respond = (body, context) => {
    const { promise, resolve } = deferred<Buffer[] | undefined>();
    requests.push({ body: Buffer.from(body), context, answer: resolve });
    return promise;
  };
  return { requests, respond };
}

describe('binary', () => {
  test('a body goes to the handler and the answer comes back, over both HTTP versions', async () => {
    const contexts: RequestContext[] = [];
    const { origin, calls } = await startHttp({
      respond: (body, context) => (contexts.push(context), echo(body, context)),
    });
    const headers = { 'content-type': RPC, 'x-client-id': 'me' };
    const http1 = await fetch(`${origin}/v1/rpc/Metadata?version=4`, { method: 'POST', headers, body: 'abc' });
    expect(http1.status).toBe(200);
    expect(http1.headers.get('content-type')).toBe(RPC);
    expect(await http1.text()).toBe('abc');
    const stream = rpc(openSession(origin), 'Metadata?version=4', { 'x-client-id': 'you' });
    stream.end('def');
    expect(await answerOf(stream)).toEqual({ status: 200, type: RPC, body: Buffer.from('def') });
    expect(
      contexts.map(c => [c.clientId, c.apiKey, c.apiVersion, c.connection.dialect, c.connection.listenerName]),
    ).toEqual([
      ['me', 3, 4, 'http', 'PLAINTEXT'],
      ['you', 3, 4, 'http', 'PLAINTEXT'],
    ]);
    expect(contexts[0]!.connection.clientAddress).toBe('127.0.0.1');
    expect(calls).toEqual([
      [3, 3, 3],
      [3, 3, 3],
    ]);
  });

  test('large bodies and answers of many pieces', async () => {
    const { origin, memory } = await startHttp({ respond: body => [body.subarray(0, 10), body.subarray(10)] });
    const session = openSession(origin);
    const bodies = [5 << 20, 70_000, 1 << 20].map((size, at) => Buffer.alloc(size, at + 1));
    const answers = bodies.map(body => {
      const stream = rpc(session, 'Metadata', { 'content-length': body.length });
      stream.end(body);
      return answerOf(stream);
    });
    for (const [at, body] of bodies.entries()) expect((await answers[at]!).body.equals(body)).toBe(true);
    await until(() => memory.bytesInFlight === 0, 'memory being given back');
  });

  test.each(['the client', 'the broker'])(
    'requests behind one that is being answered give their memory back when %s ends the connection',
    async who => {
      const answer = deferred<Buffer[]>();
      const { port, memory } = await startHttp({ respond: () => answer.promise });
      const client = await RawClient.connect(port);
      const request = (type: string, body: string) =>
        Buffer.from(
          `POST /v1/rpc/Metadata?version=4 HTTP/1.1\r\nhost: h\r\ncontent-type: ${type}\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
        );
      client.write(request(RPC, 'abc'));
      await until(() => memory.bytesInFlight === 3, 'the first');
      client.write(request('application/json', '{ab'), request(RPC, 'def'), Buffer.from('no request\r\n\r\n'));
      if (who === 'the client') client.socket.destroy();
      await client.closed();
      answer.resolve([Buffer.from('abc')]);
      await until(() => memory.bytesInFlight === 0, 'memory being given back');
    },
  );

  test('without an answer it is 204', async () => {
    const { origin } = await startHttp({ respond: () => undefined });
    const answer = await fetch(`${origin}/v1/rpc/Produce`, {
      method: 'POST',
      headers: { 'content-type': RPC },
      body: 'x',
    });
    expect(answer.status).toBe(204);
  });
});

describe('JSON', () => {
  test('is translated on both ways', async () => {
    let asked: unknown;
    const { origin } = await startHttp({
      respond: (body, { apiVersion }) => {
        asked = Metadata.request.decode(body, apiVersion);
        return Metadata.response.encode(
          { brokers: [{ nodeId: 1, host: 'h', port: 2, rack: null }], controllerId: 1, topics: [] },
          apiVersion,
        );
      },
    });
    const answer = await fetch(`${origin}/v1/rpc/Metadata?version=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ topics: [{ name: 'a' }] }),
    });
    expect(answer.status).toBe(200);
    expect(asked).toMatchObject({ topics: [{ name: 'a' }] });
    expect(await answer.json()).toMatchObject({ brokers: [{ nodeId: 1, host: 'h', port: 2, rack: null }], topics: [] });
  });

  test('accept chooses the form of the answer', async () => {
    const { origin } = await startHttp({ respond: (_body, context) => answerApiVersions(context) });
    const ask = (accept: string) =>
      fetch(`${origin}/v1/rpc/ApiVersions?version=0`, { method: 'POST', headers: { 'content-type': RPC, accept } });
    expect(((await (await ask('application/json')).json()) as { apiKeys: unknown[] }).apiKeys).toHaveLength(4);
    expect((await ask(`text/html, ${RPC}`)).headers.get('content-type')).toBe(RPC);
    expect((await ask('text/html')).status).toBe(406);
  });
});

describe('refusals', () => {
  test.each([
    ['an unknown API', 'Nonsense', { 'content-type': RPC }, 404, /no API named Nonsense/],
    ['an API between brokers', 'LeaderAndIsr', { 'content-type': RPC }, 404, /no API named LeaderAndIsr/],
    ['a version out of range', 'Metadata?version=99', { 'content-type': RPC }, 400, /only 0 to 12/],
    ['a version that is no number', 'Metadata?version=x', { 'content-type': RPC }, 400, /only 0 to 12/],
    ['another content type', 'Metadata', { 'content-type': 'text/plain' }, 415, /text\/plain/],
    ['JSON that is none', 'Metadata', { 'content-type': 'application/json' }, 400, /not JSON/],
  ])('%s', async (_what, path, headers, status, message) => {
    const { origin } = await startHttp({ respond: echo });
    const answer = await fetch(`${origin}/v1/rpc/${path}`, { method: 'POST', headers, body: '{' });
    expect(answer.status).toBe(status);
    const body = (await answer.json()) as { error_code: number; message: string };
    expect(body.error_code).toBe(status);
    expect(body.message).toMatch(message);
  });

  test('what the decoder says is passed on; a bug is not', async () => {
    let error: Error = new ProtocolError('MetadataRequest v1: topics');
    const { origin } = await startHttp({
      respond: () => {
        throw error;
      },
    });
    const ask = () =>
      fetch(`${origin}/v1/rpc/Metadata`, { method: 'POST', headers: { 'content-type': RPC }, body: 'x' });
    const refused = await ask();
    expect([refused.status, await refused.json()]).toEqual([
      400,
      { error_code: 400, message: 'MetadataRequest v1: topics' },
    ]);
    error = new TypeError('secret');
    const failed = await ask();
    expect(failed.status).toBe(500);
    expect(await failed.text()).not.toContain('secret');
  });

  test('a body that is too long, announced or not', async () => {
    const { origin, memory } = await startHttp({ respond: echo, maxRequestBytes: 100_000 });
    const session = openSession(origin);
    const announced = rpc(session, 'Metadata', { 'content-length': 100_001 });
    expect((await answerOf(announced)).status).toBe(413);
    const streamed = rpc(session, 'Metadata');
    streamed.end(Buffer.alloc(100_001));
    expect((await answerOf(streamed)).status).toBe(413);
    const fits = rpc(session, 'Metadata');
    fits.end(Buffer.alloc(100_000));
    expect((await answerOf(fits)).status).toBe(200);
    await until(() => memory.bytesInFlight === 0);
  });

  test('elsewhere there is nothing, which is said in the same form', async () => {
    const { origin } = await startHttp({ respond: echo });
    const answer = await fetch(`${origin}/nowhere`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { error_code: 404, message: 'There is nothing at /nowhere.' },
    ]);
  });
});

test.each([
  ['POST', '/healthz?x=1', 'GET, HEAD'],
  ['DELETE', '/v1/rpc', 'GET, HEAD'],
  ['PUT', '/v1/rpc/Metadata', 'POST'],
  ['GET', '/v3/things/a%2Fb/parts:alter', 'POST'],
  ['PUT', '/v3/things/:x', 'DELETE, GET, HEAD'],
])('%s %s is a method that the path does not have: it has %s', async (method, path, allow) => {
  const { origin } = await startHttp({
    respond: echo,
    routes: app => {
      app.get('/v3/things/:name', () => null);
      app.delete('/v3/things/:name', () => null);
      app.post('/v3/things/:name/parts::alter', () => null);
    },
  });
  const answer = await fetch(`${origin}${path}`, { method });
  expect([answer.status, answer.headers.get('allow')]).toEqual([405, allow]);
  expect(await answer.json()).toEqual({
    error_code: 405,
    message: `${method} is not possible at ${path}; possible is ${allow}.`,
  });
  expect((await fetch(`${origin}/v3/things/a/b`)).status).toBe(404);
});

describe('streams of one session', () => {
  test('a held request does not hold up others', async () => {
    const { requests, respond } = held();
    const { origin } = await startHttp({
      respond: (body, context) => (context.apiKey === 1 ? respond(body, context) : [Buffer.from(body)]),
    });
    const session = openSession(origin);
    const poll = rpc(session, 'Fetch?version=4');
    poll.end('fetch');
    await until(() => requests.length === 1);
    const beat = rpc(session, 'Metadata');
    beat.end('m');
    expect((await answerOf(beat)).body.toString()).toBe('m');
    requests[0]!.answer([Buffer.from('data')]);
    expect((await answerOf(poll)).body.toString()).toBe('data');
  });

  test('produces are appended in the order of their streams, whichever body is complete first', async () => {
    const order: string[] = [];
    const { origin } = await startHttp({
      respond: async (body, context) => {
        order.push(body.toString());
        context.park();
        return [Buffer.from(body)];
      },
    });
    const session = openSession(origin);
    const streams = [...Array(20).keys()].map(at =>
      rpc(session, 'Produce?version=7', { 'content-length': `p${at}`.length }),
    );
    for (const at of [...streams.keys()].reverse()) streams[at]!.end(`p${at}`);
    await Promise.all(streams.map(answerOf));
    expect(order).toEqual(streams.map((_stream, at) => `p${at}`));
  });

  test('a produce that is not parked holds the next one until it is answered', async () => {
    const { requests, respond } = held();
    const { origin } = await startHttp({ respond });
    const session = openSession(origin);
    for (const body of ['a', 'b', 'c']) rpc(session, 'Produce').end(body);
    await until(() => requests.length === 1);
    await new Promise(resolve => setTimeout(resolve, 20));
    expect(requests).toHaveLength(1);
    requests[0]!.context.park();
    await until(() => requests.length === 2);
    requests[1]!.answer([]);
    await until(() => requests.length === 3);
    expect(requests.map(({ body }) => body.toString())).toEqual(['a', 'b', 'c']);
  });

  test('one whose body does not come in time is reset, and the later ones go on', async () => {
    const order: string[] = [];
    const { origin, memory } = await startHttp({
      respond: body => (order.push(body.toString()), [Buffer.from(body)]),
      requestTimeoutMs: 50,
    });
    const session = openSession(origin);
    const late = rpc(session, 'Produce', { 'content-length': 10 });
    late.write('half');
    const next = rpc(session, 'Produce', { 'content-length': 4 });
    next.end('next');
    const [first, second] = await Promise.allSettled([answerOf(late), answerOf(next)]);
    expect(first.status).toBe('rejected');
    expect(second.status).toBe('fulfilled');
    expect(order).toEqual(['next']);
    await until(() => memory.bytesInFlight === 0);
  });

  test('one that its client resets lets the later ones go on, and is told so if it had started', async () => {
    const { requests, respond } = held();
    const { origin, memory } = await startHttp({ respond });
    const session = openSession(origin);
    const started = rpc(session, 'Fetch');
    started.end('f');
    const incomplete = rpc(session, 'Produce', { 'content-length': 10 });
    incomplete.write('half');
    const next = rpc(session, 'Produce');
    next.end('next');
    await until(() => requests.length === 1);
    started.close(8);
    incomplete.close(8);
    await until(() => requests.length === 2);
    expect(requests[1]!.body.toString()).toBe('next');
    await until(() => requests[0]!.context.connection.closed.aborted);
    expect(requests[1]!.context.connection.closed.aborted).toBe(false);
    requests[0]!.answer([]);
    requests[1]!.answer([]);
    expect((await answerOf(next)).status).toBe(200);
    await until(() => memory.bytesInFlight === 0);
  });

  test('an acks=0 failure resets its stream only', async () => {
    const { origin } = await startHttp({
      respond: body => {
        if (body.toString() === 'bad') throw new CloseConnection('not the leader');
        return [];
      },
    });
    const session = openSession(origin);
    const bad = rpc(session, 'Produce');
    bad.end('bad');
    await expect(answerOf(bad)).rejects.toThrow();
    const good = rpc(session, 'Produce');
    good.end('good');
    expect((await answerOf(good)).status).toBe(200);
  });

  test('a client that does not read its answers does not get more and more of them made', async () => {
    let handled = 0;
    const big = Buffer.alloc(1 << 20);
    const { origin } = await startHttp({ respond: () => (handled++, [big]) });
    const session = openSession(origin);
    const streams = [...Array(60).keys()].map(() => rpc(session, 'Metadata'));
    for (const stream of streams) stream.end('x');
    await until(() => handled > 0);
    await new Promise(resolve => setTimeout(resolve, 200));
    // What has not been read may be 16 MiB, and the answer that made it more.
    expect(handled).toBeLessThanOrEqual(17);
    const answers = await Promise.all(streams.map(answerOf));
    expect(answers.every(({ body }) => body.length === 1 << 20)).toBe(true);
  });
});

describe('pages', () => {
  test('health, readiness, metrics, the list of APIs', async () => {
    let ready = false;
    const { origin } = await startHttp({
      respond: echo,
      readiness: () => ({ ready, reason: ready ? '' : 'logs are loading' }),
    });
    expect(await (await fetch(`${origin}/healthz`)).json()).toEqual({ status: 'ok' });
    const early = await fetch(`${origin}/readyz`);
    expect([early.status, await early.json()]).toEqual([503, { status: 'not ready', reason: 'logs are loading' }]);
    ready = true;
    expect((await fetch(`${origin}/readyz`)).status).toBe(200);
    const metrics = await fetch(`${origin}/metrics`);
    expect(metrics.headers.get('content-type')).toContain('version=0.0.4');
    expect(await metrics.text()).toBe('samsa_up 1\n');
    const { apis } = (await (await fetch(`${origin}/v1/rpc`)).json()) as { apis: { name: string }[] };
    expect(apis.map(({ name }) => name)).toEqual(['Produce', 'Fetch', 'Metadata', 'ApiVersions']);
  });

  test('curl, with and without HTTP/2', async () => {
    const { origin } = await startHttp({ respond: (_body, context) => answerApiVersions(context) });
    for (const flags of [[], ['--http2-prior-knowledge']]) {
      const { stdout } = await run('curl', ['-sS', ...flags, '-w', '%{http_version}', `${origin}/healthz`]);
      expect(stdout).toBe(`{"status":"ok"}${flags.length === 0 ? '1.1' : '2'}`);
      const ask = ['-H', 'content-type: application/json', '-d', '{}', `${origin}/v1/rpc/ApiVersions?version=0`];
      const answer = await run('curl', ['-sS', ...flags, ...ask]);
      expect((JSON.parse(answer.stdout) as { apiKeys: unknown[] }).apiKeys).toHaveLength(4);
    }
  });
});

test('a client that hangs up in the middle of an HTTP/2 frame is gone', async () => {
  const { port, server } = await startHttp({ respond: echo });
  const client = await RawClient.connect(port);
  const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  client.write(preface, Buffer.from('000000040000000000' + '0000ff0105', 'hex'));
  await until(() => client.reads > 0);
  client.socket.end();
  await until(() => server.connectionCount === 0);
});

describe('close', () => {
  test('lets requests under way be answered, over both versions, then all connections are gone', async () => {
    const { requests, respond } = held();
    const { origin, app, server } = await startHttp({ respond });
    const headers = { 'content-type': RPC };
    const http1 = fetch(`${origin}/v1/rpc/Metadata`, { method: 'POST', headers, body: 'one' });
    const stream = rpc(openSession(origin), 'Metadata');
    stream.end('two');
    const http2 = answerOf(stream);
    await until(() => requests.length === 2);
    // Were the end not noticed, this would last longer than the test may.
    const closed = app.close(3_600_000);
    for (const request of requests) request.answer([request.body]);
    expect((await (await http1).text()) + (await http2).body.toString()).toBe('onetwo');
    await closed;
    expect(server.connectionCount).toBe(0);
  });

  test('cuts off what takes too long', async () => {
    const { requests, respond } = held();
    const { origin, app, server } = await startHttp({ respond });
    const stream = rpc(openSession(origin), 'Metadata');
    stream.end('x');
    await until(() => requests.length === 1);
    const answer = answerOf(stream);
    answer.catch(() => {});
    await app.close(50);
    await expect(answer).rejects.toThrow();
    await until(() => server.connectionCount === 0);
    requests[0]!.answer([]);
  });

  test('a body that is announced and not sent keeps nobody waiting', async () => {
    const { origin } = await startHttp({ respond: () => [], memoryBytes: 100_000 });
    const silent = rpc(openSession(origin), 'Metadata?version=1', { 'content-length': 12_000 });
    silent.write('begun');
    const broken = expect(answerOf(silent)).rejects.toThrow();
    const neighbour = rpc(openSession(origin), 'Metadata?version=1', { 'content-length': 8000 });
    neighbour.end(Buffer.alloc(8000));
    expect((await answerOf(neighbour)).status).toBe(200);
    await broken;
  });
});
