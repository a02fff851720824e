import { frame } from '../support/http2-frames.ts';
import type { Chance } from './chance.ts';

const TARGETS = [
  'GET /healthz',
  'GET /readyz',
  'GET /topics',
  'GET /topics/fuzz',
  'GET /topics/unknown',
  'GET /topics/fuzz/partitions/0/records?offset=0&limit=5',
  'GET /topics/fuzz/partitions/9/records?offset=-1',
  'GET /topics/%00/partitions/x/records?offset=1e99',
  'GET /v3/clusters',
  'GET /v3/clusters/-/topics',
  'GET /v3/clusters/-/topics/fuzz/configs',
  'GET /v3/clusters/-/brokers/0',
  'GET /no/such/path',
  'OPTIONS /topics',
  'DELETE /healthz',
  'POST /topics/fuzz/records',
  'POST /topics/unknown/records',
  'POST /v3/clusters/-/topics/fuzz/records',
  'POST /v3/clusters/-/topics/fuzz/records:batch',
  'POST /v1/rpc/Metadata?version=5',
  'POST /v1/rpc/ListOffsets?version=7',
  'POST /v1/rpc/ApiVersions',
  'POST /v1/rpc/NoSuchApi?version=0',
  'POST /v1/rpc/Metadata?version=99',
];
const BODIES = [
  '{"value":"fuzz"}',
  '{"records":[{"key":"a","value":"b","partition":0},{"value":null}]}',
  '{"value":{"type":"JSON","data":{"a":[1,2,{}]}}}{"value":{"type":"STRING","data":"x"}}',
  '{"entries":[{"id":"1","value":{"type":"BINARY","data":"AAAA"}}]}',
  '{"topics":[{"name":"fuzz"}],"allowAutoTopicCreation":false}',
  '{"topics":null,"allowAutoTopicCreation":false,"includeClusterAuthorizedOperations":false}',
  '{"replicaId":-1,"isolationLevel":0,"topics":[{"name":"fuzz","partitions":[{"partitionIndex":0,"timestamp":-1}]}]}',
  '{}',
  '[]',
  '',
  'null',
  '"\\ud800"',
  '['.repeat(2000),
  '{"__proto__":{"a":1},"constructor":1}',
  '{"value":1e999,"partition":-1e309}',
];
const TYPES = [
  'application/json',
  'application/x-ndjson',
  'application/json; charset=utf-16',
  'text/plain',
  '',
  '*/*;q=',
];

interface Parts {
  readonly method: string;
  readonly path: string;
  readonly type: string;
  readonly body: Buffer;
}

function drawParts(chance: Chance): Parts {
  const [method, path] = chance.pick(TARGETS).split(' ') as [string, string];
  const body = method === 'POST' ? Buffer.from(chance.pick(BODIES)) : Buffer.alloc(0);
  return { method, path, type: chance.pick([TYPES[0]!, TYPES[0]!, ...TYPES]), body };
}

/** A request of HTTP/1.1, one in two of them wrong. */
export function drawHttp1Input(chance: Chance): Buffer {
  const parts = drawParts(chance);
  if (chance.oneIn(2)) return http1Request(parts, [`content-length: ${parts.body.length}`]);
  const { length } = parts.body;
  switch (chance.integer(0, 5)) {
    case 0:
      return http1Request(parts, [`content-length: ${chance.pick([length + 1, length - 1, -1, 2 ** 53, 'x', ''])}`]);
    case 1:
      return http1Request(parts, ['transfer-encoding: chunked'], chunked(parts.body, chance));
    case 2:
      return http1Request(parts, [`content-length: ${length}`, 'transfer-encoding: chunked']);
    case 3:
      return http1Request(parts, [`content-length: ${length}`, chance.pick(ODD_LINES)]);
    case 4:
      return noisy(http1Request(parts, [`content-length: ${length}`]), chance);
    default: {
      const whole = http1Request(parts, [`content-length: ${length}`]);
      return whole.subarray(0, chance.integer(1, whole.length));
    }
  }
}

const ODD_LINES = [
  `x: ${'y'.repeat(20_000)}`,
  Array.from({ length: 300 }, (_, i) => `h${i}: 1`).join('\r\n'),
  'host: other',
  'expect: 100-continue',
  'upgrade: h2c',
  'connection: upgrade\r\nupgrade: websocket',
  ' folded',
  'no colon',
  'a\u0000b: c',
  'accept: application/json;q=2, text/event-stream',
  'accept: text/event-stream',
  'range: bytes=9-1',
];

function http1Request({ method, path, type, body }: Parts, lines: readonly string[], content = body): Buffer {
  const head = [`${method} ${path} HTTP/1.1`, 'host: fuzz', `content-type: ${type}`, ...lines, '', ''];
  return Buffer.concat([Buffer.from(head.join('\r\n'), 'latin1'), content]);
}

function chunked(body: Buffer, chance: Chance): Buffer {
  const size = chance.pick([body.length, body.length + 1, 0, 0xffffffff, -1]).toString(16);
  return Buffer.concat([
    Buffer.from(`${size}${chance.pick(['', ';a=b', ' '])}\r\n`),
    body,
    Buffer.from('\r\n0\r\n\r\n'),
  ]);
}

function noisy(bytes: Buffer, chance: Chance): Buffer {
  for (let left = chance.integer(1, 4); left > 0; left--) {
    bytes[chance.integer(4, bytes.length - 1)] = chance.integer(0, 255);
  }
  return bytes;
}

const PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const [DATA, HEADERS, SETTINGS] = [0, 1, 4] as const;
const [END_STREAM, END_HEADERS] = [1, 4] as const;

/** What opens a connection of HTTP/2: preface and settings, which are sometimes absurd. */
export function drawHttp2Opening(chance: Chance): Buffer {
  const setting = Buffer.alloc(6);
  setting.writeUInt16BE(chance.integer(1, 8));
  setting.writeUInt32BE(chance.pick([0, 1, 16_384, 0x7fffffff, 0xffffffff]), 2);
  const settings = frame(SETTINGS, 0, 0, chance.oneIn(4) ? setting : Buffer.alloc(0));
  return Buffer.concat([chance.oneIn(30) ? noisy(Buffer.from(PREFACE), chance) : PREFACE, settings]);
}

/** A request of HTTP/2 on its stream; one in two of them wrong in a frame, its header or its order. */
export function drawHttp2Input(chance: Chance, stream: number): Buffer {
  const { method, path, type, body } = drawParts(chance);
  const block = Buffer.concat([
    ...[literal(':method', method), literal(':scheme', 'http'), literal(':path', path), literal(':authority', 'fuzz')],
    ...(body.length === 0 ? [] : [literal('content-type', type)]),
    ...(chance.oneIn(10) ? [literal(chance.pick(['Upper', 'te', ':path', 'connection', '', 'x']), 'v')] : []),
  ]);
  const frames = [frame(HEADERS, END_HEADERS | (body.length === 0 ? END_STREAM : 0), stream, block)];
  if (body.length > 0) frames.push(frame(DATA, END_STREAM, stream, body));
  if (chance.oneIn(2)) return Buffer.concat(frames);
  switch (chance.integer(0, 3)) {
    case 0:
      frames.splice(chance.integer(0, frames.length), 0, oddFrame(chance, stream));
      break;
    case 1:
      frames.reverse().push(oddFrame(chance, stream));
      break;
    case 2: {
      const at = chance.integer(0, frames.length - 1);
      frames[at] = withOddHeader(frames[at]!, chance);
      break;
    }
    default:
      frames[0] = noisy(frames[0]!, chance);
  }
  return Buffer.concat(frames);
}

/** A frame of any type, flags and length on any stream. */
function oddFrame(chance: Chance, stream: number): Buffer {
  const payload = chance.bytes(chance.pick([0, 1, 4, 5, 6, 8, 9, 40]));
  return frame(
    chance.integer(0, 11),
    chance.integer(0, 255),
    chance.pick([0, stream, stream + 1, 0x7fffffff]),
    payload,
  );
}

function withOddHeader(bytes: Buffer, chance: Chance): Buffer {
  const copy = Buffer.from(bytes);
  const size = copy.readUIntBE(0, 3);
  if (chance.oneIn(2)) copy.writeUIntBE(chance.pick([0, Math.max(size - 1, 0), size + 1, 16_385, 0xffffff]), 0, 3);
  else copy[chance.integer(3, 8)] = chance.integer(0, 255);
  return copy;
}

/** A header field that is neither indexed nor Huffman-coded (RFC 7541 §6.2.2). */
function literal(name: string, value: string): Buffer {
  return Buffer.concat([Buffer.from([0]), hpackString(name), hpackString(value)]);
}

function hpackString(text: string): Buffer {
  const bytes = Buffer.from(text);
  const prefix = bytes.length < 127 ? [bytes.length] : [127, ...continued(bytes.length - 127)];
  return Buffer.concat([Buffer.from(prefix), bytes]);
}

function continued(rest: number): number[] {
  return rest < 128 ? [rest] : [(rest % 128) + 128, ...continued(Math.floor(rest / 128))];
}
