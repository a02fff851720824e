import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import kafkajs, { type Kafka as Client } from 'kafkajs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Admin, createAdmin } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { waitFor } from '../support/wait.ts';

/** Compaction on a real broker, in its thread, while a producer writes and the process is killed. */

const { Kafka, logLevel } = kafkajs;
const TOPIC = 'state';
const KEYS = 150;
const SEED = Number(process.env['SEED'] ?? Math.floor(Math.random() * 2 ** 31));

let cluster: Cluster;
let kafka: Client;

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 1,
    properties: {
      'log.cleaner.backoff.ms': '100',
      'log.segment.delete.delay.ms': '500',
      'offsets.topic.num.partitions': '1',
      'offsets.topic.segment.bytes': '20000',
    },
  });
  kafka = new Kafka({
    brokers: [cluster.bootstrap],
    logLevel: logLevel.NOTHING,
    retry: { retries: 200, initialRetryTime: 50, maxRetryTime: 300 },
  });
  const admin = kafka.admin();
  await admin.connect();
  const configEntries = Object.entries({
    'cleanup.policy': 'compact',
    'segment.bytes': '30000',
    'index.interval.bytes': '500',
    'min.cleanable.dirty.ratio': '0.01',
    'delete.retention.ms': '600000',
  }).map(([name, value]) => ({ name, value }));
  await admin.createTopics({ topics: [{ topic: TOPIC, numPartitions: 1, configEntries }], waitForLeaders: true });
  await admin.disconnect();
}, 60_000);

afterAll(() => cluster.stop());

const broker = () => cluster.brokers[0]!;
const cleanings = () => broker().output.split('cleaned a log').length - 1;

/** The records of the topic, in order. */
async function records(): Promise<{ offset: number; key: string; value: string | null }[]> {
  const admin = kafka.admin();
  await admin.connect();
  const { high } = (await admin.fetchTopicOffsets(TOPIC))[0]!;
  await admin.disconnect();
  const found: { offset: number; key: string; value: string | null }[] = [];
  const consumer = kafka.consumer({ groupId: `reader-${Math.random()}` });
  await consumer.connect();
  await consumer.subscribe({ topic: TOPIC, fromBeginning: true });
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        eachMessage: async ({ message: { offset, key, value } }) => {
          found.push({ offset: Number(offset), key: key!.toString(), value: value?.toString() ?? null });
          if (Number(offset) === Number(high) - 1) resolve();
        },
      })
      .catch(reject);
  });
  await consumer.disconnect();
  return found;
}

describe(`a compacted topic, seed ${SEED}`, () => {
  const random = seededRandom(SEED);
  /** What was acknowledged last of each key; null: deleted. */
  const state = new Map<string, string | null>();
  let written = 0;

  /** Puts and deletions, in order, each of which is acknowledged before the next batch. */
  async function write(batches: number): Promise<void> {
    const producer = kafka.producer({ idempotent: true, maxInFlightRequests: 1 });
    await producer.connect();
    for (let i = 0; i < batches; i++) {
      const messages = Array.from({ length: 40 }, () => {
        const value = random.int(10) === 0 ? null : `value ${written} ${'.'.repeat(random.int(60))}`;
        written++;
        return { key: `key-${random.int(KEYS)}`, value };
      });
      await producer.send({ topic: TOPIC, messages });
      for (const { key, value } of messages) state.set(key, value);
    }
    await producer.disconnect();
  }

  test('is cleaned while it is written, also by a process that is killed in the middle of it', async () => {
    for (let life = 0; life < 3; life++) {
      const before = cleanings();
      await write(60);
      await waitFor('a cleaning', () => cleanings() > before);
      const writing = write(60);
      await waitFor('another cleaning', () => cleanings() > before + 1);
      await broker().kill();
      await broker().start();
      await writing;
    }
    const found = await records();
    const last = new Map(found.map(({ key, value }) => [key, value]));
    expect([...last].sort()).toEqual([...state].sort());
    expect(found.length).toBeLessThan(written / 2);
    const offsets = found.map(({ offset }) => offset);
    expect(offsets).toEqual([...offsets].sort((a, b) => a - b));
    expect(broker().output).not.toMatch(/"level":"(error|fatal)"/);
  });

  test('leaves no file of a cleaning behind, and gives its former segments back', async () => {
    const directory = join(broker().dataDirectory, `${TOPIC}-0`);
    const size = () =>
      readdirSync(directory)
        .filter(name => name.endsWith('.log'))
        .reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    await waitFor('the removal of former files', () =>
      readdirSync(directory).every(name => !/\.(deleted|cleaned|swap)$/.test(name)),
    );
    expect(size()).toBeLessThan(written * 30);
  });
});

describe('__consumer_offsets', () => {
  const GROUP = 'steady';
  let admin: Admin;

  beforeAll(() => {
    admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  });
  afterAll(() => admin.close());

  const commit = async (offset: number) => {
    expect(await admin.alterGroupOffsets(GROUP, [{ topic: TOPIC, partition: 0, offset }])).toEqual([null]);
  };

  async function committed(): Promise<number | undefined> {
    const [answer] = await admin.listGroupOffsets([{ groupId: GROUP, partitions: null }]);
    return answer?.status === 'fulfilled' ? answer.value[0]?.offset : undefined;
  }

  const isCleaned = () =>
    broker()
      .output.split('\n')
      .some(line => line.includes('cleaned a log') && line.includes('__consumer_offsets'));

  test('is compacted, and its groups are known after a restart', async () => {
    let offset = 0;
    await waitFor('a cleaning of the offsets', async () => {
      for (let i = 0; i < 20; i++) await commit(++offset);
      return isCleaned();
    });
    await waitFor('the group’s offset', async () => (await committed()) === offset);
    await broker().kill();
    await broker().start();
    await waitFor('the group to be loaded', async () => (await committed()) === offset);
    const directory = join(broker().dataDirectory, '__consumer_offsets-0');
    const logs = readdirSync(directory).filter(name => name.endsWith('.log'));
    const bytes = logs.reduce((sum, name) => sum + statSync(join(directory, name)).size, 0);
    // Each commit takes more than a hundred bytes.
    expect(bytes).toBeLessThan(offset * 100);
  });
});
