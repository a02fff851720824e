import { readFileSync } from 'node:fs';
import {
  Admin,
  ConfigResourceTypes,
  Consumer,
  FetchIsolationLevels,
  IncrementalAlterConfigOperationTypes,
  Producer,
  ProduceAcks,
  type RecordsBatch,
} from '@platformatic/kafka';
import type { Commands, ReadRecord, Start } from '../matrix/foreign-client.ts';
import { answerLines } from './lines.ts';
import { platformaticMember } from './platformatic-member.ts';
import { platformaticTransactions } from './platformatic-transactions.ts';

/** @platformatic/kafka. Its consumer reads by assignment with `fetch`, which gives batches as they come. */

const manifest = new URL('../package.json', import.meta.resolve('@platformatic/kafka'));
const { version } = JSON.parse(readFileSync(manifest, 'utf8')) as { version: string };

/** Of a batch's attributes: it is a transaction's marker. */
const IS_CONTROL = 0x20;

let options: { clientId: string; bootstrapBrokers: string[]; retries: number; retryDelay: number };
let admin: Admin;
let consumer: Consumer;
const producers = new Map<boolean, Producer>();

function producer(idempotent: boolean): Producer {
  let found = producers.get(idempotent);
  if (found === undefined) {
    found = new Producer({ ...options, idempotent });
    producers.set(idempotent, found);
  }
  return found;
}

async function positionOf(topic: string, partition: number, from: Start): Promise<bigint> {
  if (typeof from === 'object' && 'offset' in from) return BigInt(from.offset);
  return offsetAt(topic, partition, from === 'beginning' ? 'earliest' : from.timestamp);
}

async function offsetAt(topic: string, partition: number, at: 'earliest' | 'latest' | number): Promise<bigint> {
  const timestamp = at === 'earliest' ? -2n : at === 'latest' ? -1n : BigInt(at);
  const found = await consumer.listOffsets({ topics: [topic], partitions: { [topic]: [partition] }, timestamp });
  return found.get(topic)![partition]!;
}

/** The batches from `offset` on that one fetch gives. */
async function fetchOnce(
  { topic, partition, isolation }: Commands['consume'][0],
  fetchOffset: bigint,
): Promise<readonly RecordsBatch[]> {
  const metadata = await consumer.metadata({ topics: [topic], forceUpdate: true });
  const { id: topicId, partitions } = metadata.topics.get(topic)!;
  const wanted = { partition, fetchOffset, currentLeaderEpoch: -1, lastFetchedEpoch: -1, partitionMaxBytes: 1 << 20 };
  const node = partitions[partition]!.leader;
  const isolationLevel = FetchIsolationLevels[isolation === 'read_committed' ? 'READ_COMMITTED' : 'READ_UNCOMMITTED'];
  const topics = [{ topicId, partitions: [wanted] }];
  const answer = await consumer.fetch({ node, topics, maxWaitTime: 500, isolationLevel });
  return answer.responses[0]?.partitions[0]?.records ?? [];
}

function recordsOf(batch: RecordsBatch): ReadRecord[] {
  return batch.records.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
    offset: Number(batch.firstOffset) + offsetDelta,
    timestamp: Number(batch.firstTimestamp + timestampDelta),
    key: key?.toString() ?? null,
    value: value!.toString(),
    headers: headers.map(([name, content]) => [name!.toString(), content!.toString()]),
  }));
}

await answerLines({
  hello({ bootstrap }) {
    options = { clientId: 'conformance', bootstrapBrokers: bootstrap.split(','), retries: 60, retryDelay: 250 };
    admin = new Admin(options);
    consumer = new Consumer({ ...options, groupId: 'unused' });
    return Promise.resolve({ version });
  },
  async produce({ topic, codec, acks, idempotent, records }) {
    await producer(idempotent).send({
      autocreateTopics: true,
      acks: acks === -1 ? ProduceAcks.ALL : acks,
      compression: codec as 'none',
      messages: records.map(({ key, value, partition, headers, timestamp }) => ({
        topic,
        ...(key === null ? {} : { key: Buffer.from(key) }),
        value: Buffer.from(value),
        headers: new Map(headers.map(([name, content]) => [Buffer.from(name), Buffer.from(content)])),
        ...(partition === null ? {} : { partition }),
        ...(timestamp === null ? {} : { timestamp: BigInt(timestamp) }),
      })),
    });
    return {};
  },
  async consume(request) {
    const { topic, partition, from, until } = request;
    const records: ReadRecord[] = [];
    let position = await positionOf(topic, partition, from);
    for (;;) {
      const batches = await fetchOnce(request, position).catch(() => []);
      for (const record of batches.filter(({ attributes }) => (attributes & IS_CONTROL) === 0).flatMap(recordsOf)) {
        if (record.offset < position) continue;
        position = BigInt(record.offset) + 1n;
        records.push(record);
        if (record.value === until) return { records };
      }
    }
  },
  async offset({ topic, partition, at }) {
    return { offset: Number(await offsetAt(topic, partition, at)) };
  },
  async createTopic({ topic, partitions, replicationFactor, configs }) {
    const entries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [topic], partitions, replicas: replicationFactor, configs: entries });
    return {};
  },
  async listTopics() {
    return { topics: await admin.listTopics() };
  },
  async describeTopic({ topic }) {
    const { topics } = await admin.metadata({ topics: [topic], forceUpdate: true });
    const partitions = topics
      .get(topic)!
      .partitions.map(({ leader, replicas }, partition) => ({ partition, leader, replicas }));
    return { partitions };
  },
  async createPartitions({ topic, count }) {
    await admin.createPartitions({ topics: [{ name: topic, count, assignments: null }] });
    return {};
  },
  async alterConfig({ topic, configs }) {
    const entries = Object.entries(configs).map(([name, value]) => ({
      name,
      value,
      configOperation: IncrementalAlterConfigOperationTypes.SET,
    }));
    await admin.incrementalAlterConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configs: entries }],
    });
    return {};
  },
  async describeConfig({ topic, names }) {
    const [found] = await admin.describeConfigs({
      resources: [{ resourceType: ConfigResourceTypes.TOPIC, resourceName: topic, configurationKeys: [...names] }],
    });
    return { configs: Object.fromEntries(found!.configs.map(({ name, value }) => [name, value!])) };
  },
  async deleteTopic({ topic }) {
    await admin.deleteTopics({ topics: [topic] });
    return {};
  },
  ...platformaticMember(() => options),
  ...platformaticTransactions(() => options),
});
