import { createRequire } from 'node:module';
import kafkajs, { type Admin, type CompressionTypes as Codec, type Kafka as Client, type Producer } from 'kafkajs';
import { kafkajsMember } from './kafkajs-member.ts';
import { kafkajsTransactions } from './kafkajs-transactions.ts';
import { answerLines } from './lines.ts';

/** kafkajs: its consumer works in groups only. It never uses flexible versions. */

const { version } = createRequire(import.meta.url)('kafkajs/package.json') as { version: string };
// Node does not see the names that this package exports.
const { CompressionTypes, ConfigResourceTypes, Kafka, logLevel } = kafkajs;
const CODECS: Readonly<Record<string, Codec>> = { none: CompressionTypes.None, gzip: CompressionTypes.GZIP };

let bootstrap: string;
let kafka: Client;
let admin: Admin;
const producers = new Map<boolean, Promise<Producer>>();

function connect(clientId: string): Client {
  return new Kafka({
    clientId,
    brokers: bootstrap.split(','),
    logLevel: logLevel.NOTHING,
    retry: { retries: 100, initialRetryTime: 50, maxRetryTime: 500 },
  });
}

function producer(idempotent: boolean): Promise<Producer> {
  let found = producers.get(idempotent);
  if (found === undefined) {
    const made = kafka.producer({ idempotent, maxInFlightRequests: 1 });
    found = made.connect().then(() => made);
    producers.set(idempotent, found);
  }
  return found;
}

async function atEnd(topic: string, partition: number): Promise<{ low: string; high: string }> {
  return (await admin.fetchTopicOffsets(topic)).find(entry => entry.partition === partition)!;
}

await answerLines({
  async hello(request) {
    ({ bootstrap } = request);
    kafka = connect('conformance');
    admin = kafka.admin();
    await admin.connect();
    return { version };
  },
  async produce({ topic, codec, acks, idempotent, records }) {
    const messages = records.map(({ key, value, partition, headers, timestamp }) => ({
      key,
      value,
      headers: Object.fromEntries(headers),
      ...(partition === null ? {} : { partition }),
      ...(timestamp === null ? {} : { timestamp: String(timestamp) }),
    }));
    await (await producer(idempotent)).send({ topic, compression: CODECS[codec]!, acks, messages });
    return {};
  },
  async offset({ topic, partition, at }) {
    if (at === 'earliest') return { offset: Number((await atEnd(topic, partition)).low) };
    if (at === 'latest') return { offset: Number((await atEnd(topic, partition)).high) };
    const found = await admin.fetchTopicOffsetsByTimestamp(topic, at);
    return { offset: Number(found.find(entry => entry.partition === partition)!.offset) };
  },
  async createTopic({ topic, partitions, replicationFactor, configs }) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    const created = await admin.createTopics({
      topics: [{ topic, numPartitions: partitions, replicationFactor, configEntries }],
    });
    // It does not count as an error there.
    if (!created) throw new Error(`${topic} already exists`);
    return {};
  },
  async listTopics() {
    return { topics: await admin.listTopics() };
  },
  async describeTopic({ topic }) {
    const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
    const partitions = topics[0]!.partitions.map(({ partitionId, leader, replicas }) => ({
      partition: partitionId,
      leader,
      replicas,
    }));
    return { partitions: partitions.sort((a, b) => a.partition - b.partition) };
  },
  async createPartitions({ topic, count }) {
    await admin.createPartitions({ topicPartitions: [{ topic, count }] });
    return {};
  },
  async alterConfig({ topic, configs }) {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.alterConfigs({
      validateOnly: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configEntries }],
    });
    return {};
  },
  async describeConfig({ topic, names }) {
    const { resources } = await admin.describeConfigs({
      includeSynonyms: false,
      resources: [{ type: ConfigResourceTypes.TOPIC, name: topic, configNames: [...names] }],
    });
    const entries = resources[0]!.configEntries.map(
      ({ configName, configValue }) => [configName, configValue] as const,
    );
    return { configs: Object.fromEntries(entries) };
  },
  async deleteTopic({ topic }) {
    await admin.deleteTopics({ topics: [topic] });
    return {};
  },
  ...kafkajsMember(connect),
  ...kafkajsTransactions(connect),
});
