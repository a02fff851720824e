import { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } from 'kafkajs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createConsumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** kafkajs, producer and admin (its consumer needs groups): the most used client of Node, which never uses flexible versions. */

let cluster: Cluster;
let kafka: Kafka;

beforeAll(async () => {
  cluster = await startCluster({ brokers: 2 });
  kafka = new Kafka({ brokers: cluster.bootstrap.split(','), logLevel: logLevel.NOTHING });
});

afterAll(() => cluster.stop());

async function readAll(
  topic: string,
  count: number,
): Promise<{ key: string | null; value: string; headers: string[] }[]> {
  const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'auto.offset.reset': 'earliest' });
  try {
    const partitions = await consumer.partitionsFor(topic);
    consumer.assign(partitions.map(({ partition }) => ({ topic, partition })));
    const records: { key: string | null; value: string; headers: string[] }[] = [];
    await waitFor(`${count} records of ${topic}`, async () => {
      for (const { key, value, headers } of await consumer.poll(500)) {
        records.push({
          key: key?.toString() ?? null,
          value: value!.toString(),
          headers: headers.map(h => `${h.key}=${h.value!.toString()}`),
        });
      }
      return records.length >= count;
    });
    return records;
  } finally {
    consumer.close();
  }
}

test('creates, grows, describes, configures and deletes topics', async () => {
  const admin = kafka.admin();
  await admin.connect();
  try {
    const created = await admin.createTopics({
      topics: [
        {
          topic: 'admin',
          numPartitions: 2,
          replicationFactor: 2,
          configEntries: [{ name: 'retention.ms', value: '60000' }],
        },
      ],
      waitForLeaders: true,
    });
    expect(created).toBe(true);
    await admin.createPartitions({ topicPartitions: [{ topic: 'admin', count: 3 }] });
    const { topics } = await admin.fetchTopicMetadata({ topics: ['admin'] });
    expect(topics[0]!.partitions).toHaveLength(3);
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: 'admin', configNames: ['retention.ms'] }],
    });
    expect(resources[0]!.configEntries[0]).toMatchObject({ configName: 'retention.ms', configValue: '60000' });
    await admin.deleteTopics({ topics: ['admin'] });
    await waitFor('the topic to be gone', async () => !(await admin.listTopics()).includes('admin'));
  } finally {
    await admin.disconnect();
  }
});

test.each([
  ['without compression', CompressionTypes.None],
  ['with gzip', CompressionTypes.GZIP],
])('produces %s, keys and headers intact, in order within a partition', async (name, compression) => {
  const topic = `produced-${name.replaceAll(' ', '-')}`;
  const producer = kafka.producer({ allowAutoTopicCreation: true });
  await producer.connect();
  try {
    const messages = Array.from({ length: 200 }, (_, i) => ({
      key: 'same',
      value: `value-${i}`,
      headers: { n: String(i) },
    }));
    await producer.send({ topic, compression, acks: -1, messages });
    const records = await readAll(topic, 200);
    expect(records).toEqual(messages.map(({ key, value, headers }) => ({ key, value, headers: [`n=${headers.n}`] })));
  } finally {
    await producer.disconnect();
  }
});
