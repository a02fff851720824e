import { once } from 'node:events';
import { connect as connectHttp2, type ClientHttp2Session } from 'node:http2';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { PoisoningPool } from '../../../support/poisoning-pool.ts';
import { stopServers, until, type Respond } from '../network/harness.ts';
import { answerOf, openSession, rpc, startHttp, stopApps } from './harness.ts';

const LARGE = 12 << 20;
const WINDOW = 32 << 20;
const cleanups: (() => void)[] = [];

afterEach(async () => {
  for (const cleanUp of cleanups.splice(0)) cleanUp();
  await stopApps();
  await stopServers();
});

/** Answers with as many bytes as the request says, each of the value that it says. */
const fillAnswer: Respond = (body, context) => {
  const bytes = context.answerMemory!.take(body.readInt32BE(0)).fill(body[4]!);
  return [Buffer.from('head'), bytes];
};

function order(size: number, value: number): Buffer {
  const body = Buffer.alloc(5, value);
  body.writeInt32BE(size, 0);
  return body;
}

async function ask(session: ClientHttp2Session, size: number, value: number): Promise<Buffer> {
  const stream = rpc(session, 'Fetch?version=4', { 'content-length': 5 });
  stream.end(order(size, value));
  return (await answerOf(stream)).body.subarray(4);
}

/** A way to the port on which a test can hold up what comes from there. */
async function brake(port: number): Promise<{ origin: string; upstream: () => Socket }> {
  const sockets: Socket[] = [];
  const proxy = createServer(client => {
    const server = connect(port, '127.0.0.1');
    for (const socket of [client, server]) socket.on('error', () => undefined);
    client.pipe(server);
    server.on('data', chunk => client.write(chunk));
    sockets.push(server, client);
  });
  proxy.listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    proxy.close();
  });
  return { origin: `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`, upstream: () => sockets[0]! };
}

/** A session whose windows hold back nothing: everything goes to the socket at once. */
async function wideSession(origin: string): Promise<ClientHttp2Session> {
  const session = connectHttp2(origin, { settings: { initialWindowSize: WINDOW } });
  session.on('error', () => undefined);
  cleanups.push(() => session.destroy());
  await once(session, 'remoteSettings');
  session.setLocalWindowSize(WINDOW);
  return session;
}

describe('answers over HTTP', () => {
  test('arrive over HTTP/2 as they were, however slowly they are read and whoever else is answered meanwhile', async () => {
    const pool = new PoisoningPool(64 << 20);
    const { port, origin, calls } = await startHttp({ respond: fillAnswer, pool });
    const { origin: slowOrigin, upstream } = await brake(port);
    const slow = await wideSession(slowOrigin);
    expect((await ask(slow, 1000, 3)).every(byte => byte === 3)).toBe(true);
    upstream().pause();
    const answer = ask(slow, LARGE, 1);
    await until(() => calls.length === 2, 'the answer to be on its way');
    const busy = openSession(origin);
    for (let value = 2; value < 40; value++) {
      const bytes = await ask(busy, value % 10 === 0 ? LARGE : 100_000, value);
      expect(bytes.every(byte => byte === value)).toBe(true);
    }
    expect(pool.returns).toBeGreaterThan(30);
    upstream().resume();
    const bytes = await answer;
    expect(bytes).toHaveLength(LARGE);
    expect(bytes.every(byte => byte === 1)).toBe(true);
    await until(() => pool.returns >= 39, 'all memory being given back');
  });

  test('do not leak into a stream that its client has given up', async () => {
    const pool = new PoisoningPool(64 << 20);
    const { port, origin, calls } = await startHttp({ respond: fillAnswer, pool });
    const { origin: slowOrigin, upstream } = await brake(port);
    const slow = await wideSession(slowOrigin);
    await ask(slow, 1000, 3);
    const received: Buffer[] = [];
    upstream().on('data', chunk => received.push(chunk));
    upstream().pause();
    const stream = rpc(slow, 'Fetch?version=4', { 'content-length': 5 });
    stream.on('error', () => undefined);
    stream.end(order(LARGE, 1));
    await until(() => calls.length === 2, 'the answer to be on its way');
    stream.close(8);
    const busy = openSession(origin);
    for (let value = 200; value < 220; value++) await ask(busy, value % 5 === 0 ? LARGE : 100_000, value);
    upstream().resume();
    // The session goes on, and nothing of what others got has come by it.
    expect((await ask(slow, 1000, 4)).every(byte => byte === 4)).toBe(true);
    const foreign = Buffer.concat(received);
    for (let value = 200; value < 220; value++) expect(foreign.includes(Buffer.alloc(1000, value))).toBe(false);
    expect(foreign.includes(Buffer.alloc(1000, 0xdb))).toBe(false);
  });

  test('give their memory back over HTTP/1.1', async () => {
    const pool = new PoisoningPool(64 << 20);
    const { origin } = await startHttp({ respond: fillAnswer, pool });
    for (const value of [1, 2, 3]) {
      const response = await fetch(`${origin}/v1/rpc/Fetch?version=4`, {
        method: 'POST',
        headers: { 'content-type': 'application/vnd.kafka.rpc' },
        body: order(200_000, value),
      });
      const bytes = Buffer.from(await response.arrayBuffer()).subarray(4);
      expect(bytes).toHaveLength(200_000);
      expect(bytes.every(byte => byte === value)).toBe(true);
    }
    await until(() => pool.returns >= 3, 'all memory being given back');
  });
});
