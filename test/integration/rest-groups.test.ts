import { spawn, type ChildProcess } from 'node:child_process';
import { connect, type ClientHttp2Session, type ClientHttp2Stream } from 'node:http2';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Producer } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Streams as members of groups, on three real brokers: none of them needs to lead, or to coordinate, anything. */

const PARTITIONS = 4;

let cluster: Cluster;
let producer: Producer;
let topic = '';
let group = '';
let count = 0;
const open: Stream[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': '3',
      'group.initial.rebalance.delay.ms': '100',
      'auto.create.topics.enable': 'false',
      'controlled.shutdown.enable': 'true',
    },
  });
  producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
}, 60_000);

afterAll(async () => {
  await producer?.close();
  await cluster?.stop();
});

beforeEach(async () => {
  topic = `streamed-${count}`;
  group = `group-${count++}`;
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([{ name: topic, partitions: PARTITIONS, replicationFactor: 3 }]);
  admin.close();
});

afterEach(() => {
  for (const stream of open.splice(0)) stream.leave();
});

interface Line {
  readonly event?: string;
  readonly member: string;
  readonly generation: number;
  readonly partitions: readonly { readonly partition: number }[];
  readonly partition: number;
  readonly offset: number;
  readonly value: string;
  readonly reason?: string;
  readonly error?: string;
}

/** A stream over HTTP/2, and what it has said so far. */
class Stream {
  readonly #session: ClientHttp2Session;
  readonly stream: ClientHttp2Stream;
  readonly lines: Line[] = [];
  text = '';
  status = 0;

  constructor(broker: BrokerProcess, query = '', own = group) {
    this.#session = connect(`http://${broker.address}`);
    this.#session.on('error', () => {});
    const path = `/groups/${own}/stream?topics=${topic}&start=earliest&${query}`;
    this.stream = this.#session.request({ ':path': path, accept: 'application/x-ndjson' });
    this.stream.on('response', headers => (this.status = Number(headers[':status'])));
    this.stream.on('error', () => {});
    let rest = '';
    this.stream.on('data', (chunk: Buffer) => {
      this.text += chunk.toString();
      const parts = (rest + chunk.toString()).split('\n');
      rest = parts.pop()!;
      this.lines.push(...parts.map(line => JSON.parse(line) as Line));
    });
    open.push(this);
  }

  get records(): Line[] {
    return this.lines.filter(({ event }) => event === undefined);
  }

  get values(): string[] {
    return this.records.map(({ value }) => value);
  }

  /** What the last word on it was. */
  get membership(): Line | undefined {
    return this.lines.findLast(({ event }) => event === 'assigned');
  }

  get partitions(): number[] {
    return (this.membership?.partitions ?? []).map(({ partition }) => partition).sort();
  }

  async joined(): Promise<this> {
    await waitFor('the membership', () => this.membership !== undefined);
    return this;
  }

  async ended(): Promise<void> {
    await waitFor('the end of the stream', () => this.stream.closed);
    this.leave();
  }

  /** The connection goes, as with a reader that has died. */
  leave(): void {
    this.#session.destroy();
  }
}

async function produce(values: readonly string[], partition?: number): Promise<void> {
  await Promise.all(
    values.map((value, n) => producer.send({ topic, partition: partition ?? n % PARTITIONS, value, key: value })),
  );
}

const numbers = (from: number, to: number) => Array.from({ length: to - from }, (_, n) => String(from + n));

async function commit(broker: BrokerProcess, body: object | string): Promise<{ status: number; json: Line }> {
  const answer = await fetch(`http://${broker.address}/groups/${group}/offsets`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  const text = await answer.text();
  return { status: answer.status, json: (text === '' ? {} : JSON.parse(text)) as Line };
}

describe('a stream', () => {
  test('is told its membership first, then gets the records, and goes on where the group stands', async () => {
    await produce(numbers(0, 8));
    const first = await new Stream(cluster.brokers[0]!, 'limit=5').joined();
    expect(first.lines[0]).toMatchObject({ event: 'assigned', group, generation: 1 });
    expect(first.lines[0]!.member).toMatch(/-[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(first.partitions).toEqual([0, 1, 2, 3]);
    await first.ended();
    expect(first.records.length).toBe(5);
    expect(first.lines.at(-1)).toEqual({ event: 'end', reason: 'limit' });
    const second = new Stream(cluster.brokers[1]!, 'limit=3');
    await second.ended();
    expect([...first.values, ...second.values].sort()).toEqual(numbers(0, 8));
  });

  test('shares the partitions with others, and takes over at once when one leaves', async () => {
    const one = await new Stream(cluster.brokers[0]!).joined();
    const two = new Stream(cluster.brokers[1]!);
    await waitFor('both to have two', () => one.partitions.length === 2 && two.partitions.length === 2);
    expect([...one.partitions, ...two.partitions].sort()).toEqual([0, 1, 2, 3]);
    expect(one.lines.map(({ event }) => event)).toEqual(['assigned', 'revoked', 'assigned']);
    expect(one.membership!.generation).toBe(two.membership!.generation);
    await produce(numbers(0, 40));
    await waitFor('all records', () => one.records.length + two.records.length === 40);
    expect([...one.values, ...two.values].sort()).toEqual(numbers(0, 40).sort());
    const begun = performance.now();
    two.leave();
    await waitFor('the rest of the partitions', () => one.partitions.length === 4);
    // Long before the session's timeout.
    expect(performance.now() - begun).toBeLessThan(8_000);
    await produce(numbers(40, 60));
    await waitFor('what came later', () => new Set([...one.values, ...two.values]).size === 60);
  });

  test('is a member beside consumers with a library', async () => {
    const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'group.id': group });
    consumer.subscribe([topic]);
    const stream = new Stream(cluster.brokers[2]!);
    await waitFor('both to have two', async () => {
      await consumer.poll(100);
      return consumer.assignment().length === 2 && stream.partitions.length === 2;
    });
    await consumer.close();
    await waitFor('all partitions', () => stream.partitions.length === 4);
  });

  test('of a slow reader holds little, keeps nobody else waiting, and loses nothing', async () => {
    const big = 'x'.repeat(100_000);
    const values = numbers(0, 300).map(n => `${n} ${big}`);
    const slow = await new Stream(cluster.brokers[0]!).joined();
    slow.stream.pause();
    for (let from = 0; from < 300; from += 50) await produce(values.slice(from, from + 50));
    const quick = new Stream(cluster.brokers[0]!, 'limit=300', `${group}-quick`);
    await quick.ended();
    expect(quick.records.length).toBe(300);
    slow.stream.resume();
    await waitFor('all records', () => slow.records.length === 300);
    expect(slow.values.map(value => Number(value.split(' ')[0])).sort((a, b) => a - b)).toEqual(
      numbers(0, 300).map(Number),
    );
  }, 60_000);

  test('ends with a word when its broker is stopped, and others go on', async () => {
    const leaving = cluster.brokers[2]!;
    await produce(numbers(0, 20));
    const one = await new Stream(leaving).joined();
    await waitFor('the records', () => one.records.length === 20);
    await leaving.stop();
    await one.ended();
    expect(one.lines.at(-1)).toEqual({ event: 'end', reason: 'the broker is shutting down' });
    const two = await new Stream(cluster.brokers[0]!).joined();
    await produce(['more']);
    await waitFor('more', () => two.values.includes('more'));
    expect(two.values).toEqual(['more']);
    await leaving.start();
  }, 60_000);
});

describe('commits when told', () => {
  test('at any broker, in the member’s name, while it is in the generation', async () => {
    await produce(numbers(0, 6), 0);
    const first = await new Stream(cluster.brokers[0]!, 'auto_commit=false').joined();
    await waitFor('the records', () => first.records.length === 6);
    const { member, generation } = first.membership!;
    const offsets = [{ topic, partition: 0, offset: 4, metadata: 'mine' }];
    expect((await commit(cluster.brokers[1]!, { member, generation, offsets })).status).toBe(204);
    expect(await commit(cluster.brokers[1]!, { member, generation: generation + 1, offsets })).toMatchObject({
      status: 409,
      json: { error_code: 40902, error: 'ILLEGAL_GENERATION' },
    });
    expect(await commit(cluster.brokers[2]!, { member: `${member}x`, generation, offsets })).toMatchObject({
      status: 409,
      json: { error_code: 40901, error: 'UNKNOWN_MEMBER_ID' },
    });
    const outside = [{ topic, partition: 99, offset: 4 }];
    expect(await commit(cluster.brokers[2]!, { member, generation, offsets: outside })).toMatchObject({
      status: 404,
      json: { error: 'UNKNOWN_TOPIC_OR_PARTITION' },
    });
    first.leave();
    const second = await new Stream(cluster.brokers[1]!, 'auto_commit=false').joined();
    // The former member has left: its name is worth nothing any more.
    expect(await commit(cluster.brokers[0]!, { member, generation, offsets })).toMatchObject({
      json: { error: 'UNKNOWN_MEMBER_ID' },
    });
    await waitFor('what was not committed', () => second.records.length === 2);
    expect(second.values).toEqual(['4', '5']);
  });

  test.each([
    ['{', 'The body is not JSON'],
    ['{}', 'The body lacks member.'],
    [{ member: 'm', generation: 1, offsets: [] }, 'offsets must have from 1 to 10000 entries.'],
    [{ member: 'm', generation: 1, offsets: [{ topic: 't', partition: 0, offset: -1 }] }, 'offset must be at least 0.'],
    [{ member: 'm', generation: 'x', offsets: [] }, 'generation must be an integer.'],
  ])('refuses %j', async (body, message) => {
    const { status, json } = await commit(cluster.brokers[0]!, body);
    expect(status).toBe(400);
    expect(json).toMatchObject({ error_code: 40000, message: expect.stringContaining(message) as string });
  });
});

describe('refuses with a status and a sentence', () => {
  test.each([
    ['topics=', 400, 'topics must name from 1 to 100 topics'],
    ['topics=nowhere', 404, 'UNKNOWN_TOPIC_OR_PARTITION'],
    ['topics=TOPIC&start=5', 400, 'start must be earliest or latest.'],
    ['topics=TOPIC&auto_commit=perhaps', 400, 'auto_commit must be true or false.'],
    ['topics=TOPIC&assignors=mine', 400, 'assignors: Invalid value mine'],
    ['topics=TOPIC&assignors=', 400, 'assignors: at least one is wanted.'],
    ['topics=TOPIC&limit=0', 400, 'limit must be an integer from 1'],
    ['topics=TOPIC&session_timeout_ms=1', 400, 'INVALID_SESSION_TIMEOUT'],
  ])('%s', async (query, status, told) => {
    const answer = await fetch(
      `http://${cluster.brokers[0]!.address}/groups/${group}/stream?${query.replace('TOPIC', topic)}`,
    );
    expect(answer.status).toBe(status);
    expect(await answer.text()).toContain(told);
  });

  test('pages of other origins: an EventSource of theirs would take records from the group', async () => {
    const answer = await fetch(`http://${cluster.brokers[0]!.address}/groups/${group}/stream?topics=${topic}`, {
      headers: { origin: 'http://elsewhere', accept: 'text/event-stream' },
    });
    expect(answer.status).toBe(403);
  });

  test('a member that shares out by other ways than the group', async () => {
    await new Stream(cluster.brokers[0]!, 'assignors=range').joined();
    const other = new Stream(cluster.brokers[1]!, 'assignors=roundrobin');
    await other.ended();
    expect(other.status).toBe(409);
    expect(JSON.parse(other.text)).toMatchObject({ error_code: 40905, error: 'INCONSISTENT_GROUP_PROTOCOL' });
  });
});

describe('over HTTP/1.1, as server-sent events', () => {
  let curl: ChildProcess | null = null;

  afterEach(() => {
    curl?.kill();
  });

  test('curl is a member', async () => {
    await produce(['one'], 2);
    let text = '';
    const url = `http://${cluster.brokers[0]!.address}/groups/${group}/stream?topics=${topic}&start=earliest`;
    curl = spawn('curl', ['-sN', '-i', '--http1.1', '-H', 'accept: text/event-stream', url]);
    curl.stdout!.on('data', (chunk: Buffer) => (text += chunk.toString()));
    await waitFor('the record', () => text.includes('"one"'));
    const [head, ...events] = text.replaceAll('\r', '').split('\n\n');
    expect(head).toContain('HTTP/1.1 200 OK');
    expect(head).toContain('content-type: text/event-stream');
    expect(events[0]).toMatch(/event: assigned\ndata: \{"event":"assigned","group":"group-\d+","member":"/);
    expect(text).toContain(`data: {"topic":"${topic}","partition":2,"offset":0,`);
    curl.kill('SIGKILL');
    // What curl had been given is committed when it goes.
    const next = await new Stream(cluster.brokers[1]!).joined();
    await produce(['two'], 2);
    await waitFor('the next record', () => next.records.length > 0);
    expect(next.values).toEqual(['two']);
  });
});
