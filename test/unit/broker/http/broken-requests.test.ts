import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { connect, type AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { afterEach, describe, expect, test } from 'vitest';
import { RestClients } from '../../../../broker/http/rest/clients.ts';
import { GroupStreams } from '../../../../broker/http/rest/groups/streams.ts';
import { registerRest } from '../../../../broker/http/rest/routes.ts';
import { silentLogger, type Logger } from '../../../../shared/runtime/logger.ts';
import { frame, literal } from '../../../support/http2-frames.ts';
import { ScriptedCluster } from '../../../support/scripted-cluster.ts';
import { VirtualTime } from '../../../support/virtual-time.ts';
import { waitFor } from '../../../support/wait.ts';
import { RawClient, stopServers } from '../network/harness.ts';
import { startHttp, stopApps } from './harness.ts';

afterEach(async () => {
  await stopApps();
  await stopServers();
});

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');

const SETTINGS = frame(4, 0, 0, Buffer.alloc(0));
const post = (path: string) =>
  Buffer.concat([
    literal(':method', 'POST'),
    literal(':scheme', 'http'),
    literal(':path', path),
    literal(':authority', 'a'),
  ]);

describe('a session that breaks HTTP/2 in the bytes that bring its request', () => {
  // Node tells of the stream when the session, and the stream with it, has been destroyed already.
  test.each(['/v1/rpc/Metadata', '/topics/t/records', '/healthz'])('POST %s', async path => {
    const { port, origin } = await startHttp({ respond: body => [Buffer.from(body)] });
    const uncaught: unknown[] = [];
    const note = (error: unknown) => void uncaught.push(error);
    const others = process.listeners('uncaughtException');
    process.removeAllListeners('uncaughtException').on('uncaughtException', note);
    try {
      const client = await RawClient.connect(port);
      const DATA_ON_STREAM_0 = frame(0, 0, 0, Buffer.from('x'));
      client.socket.write(Buffer.concat([PREFACE, SETTINGS, frame(1, 4, 1, post(path)), DATA_ON_STREAM_0]));
      await once(client.socket, 'close');
      expect((await fetch(`${origin}/healthz`)).status).toBe(200);
    } finally {
      process.off('uncaughtException', note);
      for (const listener of others) process.on('uncaughtException', listener);
    }
    expect(uncaught).toEqual([]);
  });
});

describe('a client that leaves in the midst of its body is no error of the broker', () => {
  async function startRest() {
    const errors: unknown[] = [];
    const told: unknown[] = [];
    const logger: Logger = {
      ...silentLogger,
      error: (...line: unknown[]) => void errors.push(line),
      debug: (...line: unknown[]) => void told.push(line.at(-1)),
    };
    const time = new VirtualTime();
    const clients = new RestClients({ connector: new ScriptedCluster(), runtime: { clock: time, timers: time } });
    const app = (http2: boolean) => {
      const server = http2 ? (Fastify({ http2: true }) as unknown as ReturnType<typeof Fastify>) : Fastify();
      const streams = new GroupStreams({ clients, clock: time, timers: time, logger });
      registerRest(server, { clients, streams, clusterId: 'c', logger });
      return server;
    };
    return { errors, told, app };
  }

  test('over HTTP/1.1', async () => {
    const { app, errors, told } = await startRest();
    const server = app(false);
    await server.listen({ port: 0, host: '127.0.0.1' });
    const socket = connect((server.server.address() as AddressInfo).port, '127.0.0.1');
    const head =
      'POST /topics/t/records HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 50\r\n\r\n';
    socket.write(`${head}{"value":`);
    await once(server.server, 'request');
    socket.destroy();
    await waitFor('the end to be noticed', () => errors.length + told.length > 0);
    await server.close();
    expect(errors).toEqual([]);
    expect(told).toEqual(['a REST request is broken off by its client']);
  });

  test('over HTTP/2', async () => {
    const { app, errors, told } = await startRest();
    const server = app(true);
    await server.listen({ port: 0, host: '127.0.0.1' });
    const session = connectHttp2(`http://127.0.0.1:${(server.server.address() as AddressInfo).port}`);
    session.on('error', () => {});
    const stream = session.request({
      ':method': 'POST',
      ':path': '/topics/t/records',
      'content-type': 'application/json',
    });
    stream.on('error', () => {});
    stream.write('{"value":');
    await once(server.server, 'request');
    session.destroy();
    await waitFor('the end to be noticed', () => errors.length + told.length > 0);
    await server.close();
    expect(errors).toEqual([]);
    expect(told).toEqual(['a REST request is broken off by its client']);
  });
});
