import { spawn } from 'node:child_process';
import { connect, constants, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAdmin } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { run } from '../support/run.ts';
import { readTopic } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';

/** The short data paths, asked of a broker that does not even have a replica of the topic. */

const NDJSON = 'application/x-ndjson';

/** A record as it is shown, a report, an error, or what they come in: the tests say which they expect. */
interface Json {
  readonly partition?: number;
  readonly offset?: number;
  readonly value?: unknown;
  readonly error_code?: number;
  readonly message?: string;
  readonly records?: readonly Json[];
  readonly reports?: readonly Json[];
}
interface Answer {
  readonly status: number;
  readonly version: string;
  readonly type: string;
  readonly text: string;
  /** {} when it is not JSON. */
  readonly json: Json;
}

let cluster: Cluster;
let bystander: BrokerProcess;
let topic = '';
let topics = 0;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 3, properties: { 'auto.create.topics.enable': 'false' } });
  bystander = cluster.brokers[2]!;
});

afterAll(async () => {
  await cluster?.stop();
});

beforeEach(async () => {
  topic = `rest-${topics++}`;
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  try {
    await admin.createTopics([
      {
        name: topic,
        assignment: [
          [0, 1],
          [1, 0],
        ],
      },
    ]);
    await waitFor('the topic to be led', async () => {
      return (await admin.describeTopic(topic)).partitions.every(partition => partition.leader >= 0);
    });
  } finally {
    admin.close();
  }
});

/** Runs curl as a person would. */
async function curl(path: string, args: readonly string[] = [], input = ''): Promise<Answer> {
  const format = '\n%{http_code} %{http_version} %{content_type}';
  const url = `http://${bystander.address}${path}`;
  const { stdout, stderr, code } = await run('curl', ['-sS', '-w', format, ...args, url], { input });
  expect(code, stderr).toBe(0);
  const end = stdout.lastIndexOf('\n');
  const [status, version, type] = stdout.slice(end + 1).split(' ');
  const text = stdout.slice(0, end);
  return { status: Number(status), version: version!, type: type!, text, json: parsed(text) };
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

function lines(text: string): Json[] {
  return text
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as Json);
}

function post(body: unknown, args: readonly string[] = []): Promise<Answer> {
  return curl(`/topics/${topic}/records`, [...args, '-d', typeof body === 'string' ? body : JSON.stringify(body)]);
}

describe.each([
  ['HTTP/1.1', '1.1', []],
  ['HTTP/2', '2', ['--http2-prior-knowledge']],
] as const)('over %s', (_name, version, dialect) => {
  test('a record goes in and comes out', async () => {
    const sent = {
      partition: 1,
      key: 'k',
      value: { nested: ['ä', 1] },
      headers: { trace: 'abc', raw: { base64: '/wA=' } },
      timestamp: 1_700_000_000_000,
    };
    const written = await post(sent, dialect);
    expect(written.version).toBe(version);
    expect(written.status).toBe(200);
    expect(written.json).toEqual({ partition: 1, offset: 0, timestamp: 1_700_000_000_000 });
    const read = await curl(`/topics/${topic}/partitions/1/records?offset=0&json=true`, dialect);
    expect(read.version).toBe(version);
    expect(read.json).toEqual({
      records: [
        {
          partition: 1,
          offset: 0,
          timestamp: 1_700_000_000_000,
          key: 'k',
          value: { nested: ['ä', 1] },
          headers: [
            { name: 'trace', value: 'abc' },
            { name: 'raw', value: { base64: '/wA=' } },
          ],
        },
      ],
      next_offset: 1,
    });
  });

  test('a list of records gets a report each, in order', async () => {
    const list = [0, 1, 0, 1, 0].map((partition, index) => ({ partition, value: `v${index}` }));
    const { status, json } = await post([...list, { partition: 99, value: 'nowhere' }, 'not a record'], dialect);
    expect(status).toBe(200);
    const reports = json.reports!;
    expect(reports.slice(0, 5).map(({ partition, offset }) => [partition, offset])).toEqual([
      [0, 0],
      [1, 0],
      [0, 1],
      [1, 1],
      [0, 2],
    ]);
    expect(reports.slice(5).map(report => typeof report.error_code)).toEqual(['number', 'number']);
    expect([...(await readTopic(cluster.bootstrap, topic, 2))].sort()).toEqual([
      ['0:0', 'v0'],
      ['0:1', 'v2'],
      ['0:2', 'v4'],
      ['1:0', 'v1'],
      ['1:1', 'v3'],
    ]);
  });

  test('a stream of lines gets a report line each, in order', async () => {
    const count = 5_000;
    const body = Array.from({ length: count }, (_, index) =>
      index === 1_000 ? 'broken' : JSON.stringify({ partition: index % 2, value: String(index) }),
    );
    const args = [...dialect, '-H', `content-type: ${NDJSON}`, '--data-binary', '@-'];
    const answer = await curl(`/topics/${topic}/records`, args, body.join('\n'));
    expect(answer.status).toBe(200);
    expect(answer.type).toContain(NDJSON);
    const reports = lines(answer.text);
    expect(reports).toHaveLength(count);
    expect(reports[1_000]).toHaveProperty('error_code');
    const read = await readTopic(cluster.bootstrap, topic, 2);
    expect(read.size).toBe(count - 1);
    for (const [index, report] of reports.entries()) {
      if (index !== 1_000) expect(read.get(`${report.partition}:${report.offset}`)).toBe(String(index));
    }
  });

  test('records come out as lines', async () => {
    await post(
      Array.from({ length: 30 }, (_, index) => ({ partition: 0, value: `v${index}` })),
      dialect,
    );
    const args = [...dialect, '-H', `accept: ${NDJSON}`];
    const { type, text } = await curl(`/topics/${topic}/partitions/0/records?offset=5&limit=20`, args);
    expect(type).toContain(NDJSON);
    expect(lines(text).map(({ offset, value }) => [offset, value])).toEqual(
      Array.from({ length: 20 }, (_, index) => [index + 5, `v${index + 5}`]),
    );
  });

  test('what is wrong with a request is said with a status', async () => {
    const records = `/topics/${topic}/records`;
    const partition = `/topics/${topic}/partitions/0/records`;
    const json = (body: string) => [...dialect, '-d', body];
    const cases: readonly (readonly [path: string, args: readonly string[], status: number, message: RegExp])[] = [
      [records, json('{"value":'), 400, /not JSON/],
      [records, json('{"valeu":1}'), 400, /valeu/],
      [records, json('{"partition":-1}'), 400, /partition/],
      [`${records}?acks=2`, json('{}'), 400, /acks/],
      ['/topics/no-such-topic/records', json('{"value":1}'), 404, /./],
      ['/topics/no%20topic/records', json('{"value":1}'), 400, /./],
      ['/topics/no-such-topic/partitions/0/records', dialect, 404, /./],
      [`/topics/${topic}/partitions/9/records`, dialect, 404, /./],
      [`/topics/${topic}/partitions/x/records`, dialect, 400, /partition/],
      [`${partition}?offset=first`, dialect, 400, /offset/],
      [`${partition}?offset=5`, dialect, 416, /./],
      [`${partition}?limit=0`, dialect, 400, /limit/],
      ['/no/such/path', dialect, 404, /./],
    ];
    const check = async ([path, args, status, message]: (typeof cases)[number]) => {
      const begun = performance.now();
      const answer = await curl(path, args);
      expect(answer.status, `${path} ${args.join(' ')}: ${answer.text}`).toBe(status);
      expect(answer.json.error_code, path).toEqual(expect.any(Number));
      expect(answer.json.message, path).toMatch(message);
      expect(answer.json.message, path).not.toMatch(/\n| {4}at /);
      // Nobody waits for long to hear of a slip of the pen.
      expect(performance.now() - begun, path).toBeLessThan(9_000);
    };
    await Promise.all(cases.map(check));
  });

  test('events come as records do, until the reader leaves', async () => {
    await post({ partition: 0, value: 'before' }, dialect);
    const url = `http://${bystander.address}/topics/${topic}/partitions/0/records?offset=0`;
    const child = spawn('curl', ['-sSN', ...dialect, '-H', 'accept: text/event-stream', url]);
    let text = '';
    child.stdout.on('data', (chunk: Buffer) => (text += chunk.toString()));
    try {
      await waitFor('the first event', () => text.includes('"before"'));
      await post({ partition: 0, value: 'while it reads' }, dialect);
      await waitFor('the second event', () => text.includes('"while it reads"'));
    } finally {
      child.kill();
    }
    const events = text.split('\n\n').filter(event => event.startsWith('id: '));
    expect(events.map(event => event.split('\n')[0])).toEqual(['id: 0:0', 'id: 0:1']);
    // A reader that reconnects goes on behind what it has seen.
    const next = await curl(`/topics/${topic}/partitions/0/records`, [...dialect, '-H', 'last-event-id: 0:0']);
    expect(next.json.records!.map(({ offset }) => offset)).toEqual([1]);
  });
});

test('a read waits for the first record as long as it was told to', async () => {
  const reading = curl(`/topics/${topic}/partitions/0/records?offset=latest&wait_ms=20000`);
  // Once the answer to another request shows that the broker is not held up, the record that is waited for is written.
  await curl(`/topics/${topic}/partitions/1/records`);
  const begun = performance.now();
  const writing = (async () => {
    let done = false;
    void reading.then(() => (done = true));
    // `latest` is looked up when the read arrives, which may be after the first of these.
    while (!done) {
      await post({ partition: 0, value: 'at last' });
    }
  })();
  const { json } = await reading;
  await writing;
  expect(json.records![0]!.value).toBe('at last');
  // It does not wait for the records that go on coming either.
  expect(json.records!.length).toBeLessThan(50);
  expect(performance.now() - begun).toBeLessThan(10_000);
});

describe('one stream of lines over HTTP/2', () => {
  let session: ClientHttp2Session;

  beforeEach(() => {
    session = connect(`http://${bystander.address}`);
    return () => session.close();
  });

  /** A POST whose body is open, and the report lines that have come so far. */
  function open(): { stream: ClientHttp2Stream; reports: Json[] } {
    const stream = session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: `/topics/${topic}/records`,
      'content-type': NDJSON,
    });
    const reports: Json[] = [];
    let rest = '';
    stream.on('data', (chunk: Buffer) => {
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      reports.push(...parts.map(line => JSON.parse(line) as Json));
    });
    return { stream, reports };
  }

  test('each line is reported while the stream stays open', async () => {
    const { stream, reports } = open();
    for (let line = 0; line < 5; line++) {
      // Cut in the middle of the line, as a network may.
      stream.write('{"partition":0,"val');
      stream.write(`ue":"line ${line}"}\n`);
      await waitFor(`report ${line}`, () => reports.length === line + 1);
      expect(reports[line]).toMatchObject({ partition: 0, offset: line });
    }
    stream.end();
    await waitFor('the end of the answer', () => stream.closed);
  });

  test('a client that leaves in the middle harms nobody', async () => {
    const { stream, reports } = open();
    stream.write(`${JSON.stringify({ partition: 0, value: 'whole' })}\n{"partition":0,"value":"ha`);
    await waitFor('the first report', () => reports.length === 1);
    stream.on('error', () => {});
    stream.destroy();
    const { json } = await post({ partition: 0, value: 'after' });
    expect(json).toMatchObject({ partition: 0, offset: 1 });
    expect([...(await readTopic(cluster.bootstrap, topic, 2)).values()]).toEqual(['whole', 'after']);
  });
});
