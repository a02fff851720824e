import { createServer, type ServerHttp2Stream } from 'node:http2';
import { crc32c } from '@node-rs/crc32';
import { RPC_PATH } from '../shared/connection/rpc.ts';
import { ApiVersions } from '../shared/protocol/messages/api-versions.ts';
import { Fetch } from '../shared/protocol/messages/fetch.ts';
import { Produce } from '../shared/protocol/messages/produce.ts';
import { AppendLog } from './bare/append-log.ts';
import { fetchAnswerHead, produceAnswer } from './bare/canned-answers.ts';
import { MemoryPool } from './bare/memory-pool.ts';
import { bareOptions, reportPort } from './bare/options.ts';
import { FETCH_VERSION, PRODUCE_VERSION } from './harness/dialect.ts';

/** As bare-kafka.ts, over HTTP/2 by node:http2's core API with large windows. */

const STREAM_WINDOW_BYTES = 4 << 20;
const SESSION_WINDOW_BYTES = 16 << 20;
const CRC_AT = 17;
const CRC_FROM = 21;

const { file, topic, batchBytes } = bareOptions();
const log = new AppendLog(file);
const pool = new MemoryPool();
const produced = produceAnswer(topic);
const fetchedHead = fetchAnswerHead(topic, batchBytes);
const versions = Buffer.concat(
  ApiVersions.response.encode(
    {
      errorCode: 0,
      apiKeys: [
        { apiKey: Produce.key, minVersion: PRODUCE_VERSION, maxVersion: PRODUCE_VERSION },
        { apiKey: Fetch.key, minVersion: FETCH_VERSION, maxVersion: FETCH_VERSION },
      ],
    },
    0,
  ),
);
let readAt = 0;

function answer(stream: ServerHttp2Stream, body: Buffer): void {
  stream.respond({ ':status': 200, 'content-length': body.length });
  stream.end(body);
}

/** The records are the end of the body, which is gathered into pooled memory. */
function produce(stream: ServerHttp2Stream, length: number): void {
  const memory = pool.take(length);
  let filled = 0;
  stream.on('data', (chunk: Buffer) => {
    memory.set(chunk, filled);
    filled += chunk.length;
  });
  stream.on('end', () => {
    const batch = memory.subarray(length - batchBytes);
    if (crc32c(batch.subarray(CRC_FROM)) !== batch.readUInt32BE(CRC_AT)) throw new Error('wrong checksum');
    log.append([batch], batchBytes, () => {
      pool.giveBack(memory);
      answer(stream, produced);
    });
  });
}

function fetch(stream: ServerHttp2Stream): void {
  stream.resume();
  const memory = pool.take(fetchedHead.length + batchBytes);
  fetchedHead.copy(memory);
  const position = readAt;
  readAt = readAt + 2 * batchBytes > log.size ? 0 : readAt + batchBytes;
  log.read(memory.subarray(fetchedHead.length), position, () => answer(stream, memory));
  stream.once('close', () => pool.giveBack(memory));
}

const server = createServer({ settings: { initialWindowSize: STREAM_WINDOW_BYTES }, maxSessionMemory: 1024 });
server.on('session', session => session.setLocalWindowSize(SESSION_WINDOW_BYTES));
server.on('stream', (stream, headers) => {
  stream.on('error', () => undefined);
  const api = headers[':path']!.slice(RPC_PATH.length).replace(/\?.*/, '');
  if (api === Produce.name) produce(stream, Number(headers['content-length']));
  else if (api === Fetch.name) fetch(stream);
  else {
    stream.resume();
    answer(stream, versions);
  }
});
server.listen(0, '127.0.0.1', () => reportPort(server.address()));
process.on('SIGHUP', () => log.reset());
