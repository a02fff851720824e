import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { createHash } from 'node:crypto';
import { afterEach, expect, test } from 'vitest';
import { adoptSocket, withDataEvents, type ByteConsumer } from '../../../../broker/network/adopt-socket.ts';

let server: Server;

afterEach(() => server.close());

/** An accepted socket of which nothing has been read, and its client. */
async function acceptedPair(): Promise<{ accepted: Socket; client: Socket }> {
  server = createServer({ allowHalfOpen: true });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  const [accepted] = (await once(server, 'connection')) as [Socket];
  return { accepted, client };
}

const ways = {
  onread: adoptSocket,
  'data events': (socket: Socket, consumer: ByteConsumer) => withDataEvents(socket, consumer).resume(),
};

test.each(Object.entries(ways))(
  '%s: no byte is lost, however often reading pauses, and both ends can end',
  async (_way, adopt) => {
    const { accepted, client } = await acceptedPair();
    const sent = createHash('md5');
    const received = createHash('md5');
    const memory = Buffer.alloc(10_007);
    let reads = 0;
    let pauses = 0;
    const socket: Socket = adopt(accepted, {
      target: () => memory,
      consume(buffer, length) {
        received.update(buffer.subarray(0, length));
        reads++;
        if (reads % 7 !== 0) return true;
        pauses++;
        setImmediate(() => socket.resume());
        return false;
      },
    });
    const ended = once(socket, 'end');
    const closed = once(socket, 'close');
    for (let i = 0; i < 200; i++) {
      const piece = Buffer.alloc(1 + ((i * 7919) % 30_000), i);
      sent.update(piece);
      if (!client.write(piece)) await once(client, 'drain');
    }
    client.end();
    await ended;
    // Three megabytes, of which the kernel gives 64 KiB at a time at most.
    expect(pauses).toBeGreaterThanOrEqual(6);
    expect(received.digest('hex')).toBe(sent.digest('hex'));
    socket.end('answer');
    const [answer] = (await once(client, 'data')) as [Buffer];
    expect(answer.toString()).toBe('answer');
    await closed;
    const connections = await new Promise<number>((resolve, reject) => {
      server.getConnections((error, count) => (error === null ? resolve(count) : reject(error)));
    });
    expect(connections).toBe(0);
  },
);
