import { fork } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { frame, literal } from '../support/http2-frames.ts';

const block = Buffer.concat([
  literal(':method', 'POST'),
  literal(':scheme', 'http'),
  literal(':path', '/topics/t/records'),
  literal(':authority', 'a'),
]);
const opening = Buffer.concat([Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(4, 0, 0, Buffer.alloc(0))]);
const request = (stream: number) => [frame(1, 4, stream, block), frame(0, 0, stream, Buffer.from('abc'))];
const GOAWAY_WITH_ERROR = frame(7, 0, 0, Buffer.from('0000000000000001', 'hex'));

/** In a process of its own: what this was about ended Node by an assertion, which no handler sees. */
test.each([
  ['first', [GOAWAY_WITH_ERROR, ...request(1)]],
  ['between requests', [...request(1), GOAWAY_WITH_ERROR, ...request(3)]],
])('GOAWAY with an error, %s, and more requests in the same packet do not end the broker', async (_, frames) => {
  const broker = fork(join(import.meta.dirname, '../support/port-fuzz-server.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  try {
    const [{ port }] = (await once(broker, 'message')) as [{ port: number }];
    const socket = connect(port, '127.0.0.1').resume();
    socket.on('error', () => {});
    socket.write(Buffer.concat([opening, ...frames]));
    await once(socket, 'close');
    expect((await fetch(`http://127.0.0.1:${port}/healthz`)).status).toBe(200);
    expect([broker.exitCode, broker.signalCode]).toEqual([null, null]);
  } finally {
    broker.kill('SIGKILL');
  }
});
