import { fork, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeRequestFrame } from '../../shared/protocol/headers.ts';
import { ApiVersions } from '../../shared/protocol/messages/api-versions.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { Neighbour } from '../support/neighbour.ts';
import { waitFor } from '../support/wait.ts';

/** Inputs for each dialect of the port. */
const INPUTS = 10_000;
const WARM_UP = 3000;
const AT_A_TIME = 50;
const RSS_GROWTH_LIMIT_BYTES = 64 << 20;

let broker: ChildProcess;
let port = 0;

beforeAll(async () => {
  broker = fork(join(import.meta.dirname, '../support/port-fuzz-server.ts'), {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  const [message] = (await once(broker, 'message')) as [{ port: number }];
  port = message.port;
});

afterAll(() => {
  broker.kill('SIGKILL');
});

function residentBytes(): number {
  const status = readFileSync(`/proc/${broker.pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)![1]) * 1024;
}

/** How many HTTP/2 sessions the broker's process holds, open or not. */
async function sessionsHeld(): Promise<number> {
  broker.send('sessions');
  const [message] = (await once(broker, 'message')) as [{ sessions: number }];
  return message.sessions;
}

/** Sends one input and hangs up: after the peer did, or after a moment. */
function throwAt(input: Uint8Array): Promise<void> {
  return new Promise(resolve => {
    const socket: Socket = connect(port, '127.0.0.1');
    const done = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve();
    };
    const timer = setTimeout(done, 25);
    socket.on('error', done).on('close', done).on('end', done);
    socket.resume();
    socket.write(input);
  });
}

async function throwAll(inputs: readonly Uint8Array[]): Promise<void> {
  const queue = inputs.values();
  const worker = async () => {
    for (const input of queue) await throwAt(input);
  };
  await Promise.all(Array.from({ length: AT_A_TIME }, worker));
}

const valid: Record<string, Buffer> = {
  kafka: Buffer.concat([
    ...encodeRequestFrame(ApiVersions, 3, 1, 'fuzz', { clientSoftwareName: 'a', clientSoftwareVersion: 'b' }),
    ...encodeRequestFrame(Metadata, 9, 2, 'fuzz', { topics: [{ name: 'topic' }] }),
    ...encodeRequestFrame(Produce, 9, 3, null, {
      acks: 1,
      timeoutMs: 1000,
      topicData: [{ name: 'topic', partitionData: [{ index: 0, records: Buffer.alloc(200, 1) }] }],
    }),
  ]),
  http1: Buffer.from(
    'POST /v1/rpc/Metadata?version=1 HTTP/1.1\r\nhost: a\r\ncontent-type: application/json\r\ncontent-length: 15\r\n\r\n' +
      '{"topics":null}' +
      'GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n',
  ),
  http2: Buffer.concat([
    Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
    Buffer.from('000000040000000000', 'hex'),
    // HEADERS of GET /healthz on stream 1, then DATA on it and WINDOW_UPDATE, PING.
    Buffer.from('00000f0105000000018287448761092d5761bfd741016100'.slice(0, 48), 'hex'),
    Buffer.from('0000050001000000036162636465', 'hex'),
    Buffer.from('00000408000000000000ffffff', 'hex'),
    Buffer.from('0000080600000000000102030405060708', 'hex'),
  ]),
};

/** Noise behind an opening that leads to the dialect, and valid input with some bytes changed, left out or doubled. */
function inputsFor(dialect: string): fc.Arbitrary<Uint8Array> {
  const base = valid[dialect]!;
  const opening = dialect === 'http2' ? base.subarray(0, 24) : base.subarray(0, 4);
  const noise = fc.uint8Array({ maxLength: 600 });
  const size = fc.integer({ min: -1, max: 2_000_000 }).map(value => {
    const bytes = Buffer.alloc(4);
    bytes.writeInt32BE(value);
    return bytes;
  });
  const change = fc.record({
    at: fc.nat({ max: base.length - 1 }),
    bytes: fc.uint8Array({ maxLength: 6 }),
    cut: fc.nat({ max: 6 }),
  });
  const mutated = fc.array(change, { minLength: 1, maxLength: 5 }).map(changes => {
    let bytes = base;
    for (const { at, bytes: put, cut } of changes) {
      bytes = Buffer.concat([bytes.subarray(0, at), put, bytes.subarray(at + cut)]);
    }
    return bytes;
  });
  const start = dialect === 'kafka' ? size : fc.constant(opening);
  return fc.oneof(
    mutated,
    fc.tuple(start, noise).map(parts => Buffer.concat(parts)),
  );
}

describe.each(['kafka', 'http1', 'http2'])('noise on the port, in the manner of %s', dialect => {
  test(`${INPUTS} inputs harm neither the broker nor a neighbour`, async () => {
    const seed = Number(process.env['FUZZ_SEED'] ?? Date.now() % 0x7fffffff);
    console.log(`FUZZ_SEED=${seed}`);
    const neighbour = await Neighbour.at(port);
    const inputs = fc.sample(inputsFor(dialect), { seed, numRuns: INPUTS });
    // The first inputs warm the broker up: code, pools and heap grow to their working size.
    await throwAll(inputs.slice(0, WARM_UP));
    const before = residentBytes();
    await throwAll(inputs.slice(WARM_UP));
    const growth = residentBytes() - before;
    await neighbour.stop();
    expect(neighbour.answered).toBeGreaterThan(100);
    expect(broker.exitCode).toBeNull();
    console.log(`${dialect}: RSS grew by ${growth >> 20} MiB, the neighbour had ${neighbour.answered} answers`);
    expect(growth).toBeLessThan(RSS_GROWTH_LIMIT_BYTES);
    // The last ones may still be on their way out.
    await waitFor('the sessions to be forgotten', async () => (await sessionsHeld()) < AT_A_TIME);
  });
});
