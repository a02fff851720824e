import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Admin } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

const TOPIC = 'ledger';
const PARTITIONS = 6;
const RECORDS = 50_000;

/**
 * The broker that leads most is killed (kill -9) again and again, until each has died twice, while a producer writes
 * numbered records with min.insync.replicas=2, idempotent as producers are, up to five batches of a partition on the way.
 */
test(
  'every record is there once and in order when brokers are killed, and those acknowledged where they were said to be',
  { timeout: 300_000 },
  async () => {
    const cluster = await startCluster({
      properties: { 'min.insync.replicas': '2', 'replica.lag.time.max.ms': '5000' },
    });
    const settings = { 'bootstrap.servers': cluster.bootstrap };
    const admin = createAdmin(settings);
    try {
      await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }]);
      const acknowledged = new Map<string, number>();
      const failed: Error[] = [];
      const producer = createProducer({ ...settings, acks: 'all', 'delivery.timeout.ms': 120_000, 'linger.ms': 5 });
      const killing = killEachTwice(cluster, admin, () => acknowledged.size >= RECORDS);
      for (let i = 0; i < RECORDS; i++) {
        producer.send({ topic: TOPIC, partition: i % PARTITIONS, value: String(i) }, (error, metadata) => {
          if (error !== null) failed.push(error);
          else acknowledged.set(`${metadata!.partition}:${metadata!.offset}`, i);
        });
        // Spread over the killings: a burst would be over before the first broker dies.
        if (i % 250 === 249) await new Promise(resolve => setTimeout(resolve, 150));
      }
      const deaths = await killing;
      await producer.flush();
      await producer.close();
      expect(failed).toEqual([]);
      expect(acknowledged.size).toBe(RECORDS);
      expect(Math.min(...deaths)).toBeGreaterThanOrEqual(2);

      await waitFor('all replicas to be in sync', async () => {
        const { partitions } = await admin.describeTopic(TOPIC);
        return partitions.every(partition => partition.isr.length === 3);
      });
      const read = await readAll(cluster);
      for (const [place, number] of acknowledged) expect(read.get(place), place).toBe(number);
      for (let partition = 0; partition < PARTITIONS; partition++) expectInOrder(read, partition);
      await expectEqualLogs(cluster, admin);
    } finally {
      admin.close();
      await cluster.stop();
    }
  },
);

async function killEachTwice(cluster: Cluster, admin: Admin, isOver: () => boolean): Promise<number[]> {
  const deaths = cluster.brokers.map(() => 0);
  while (Math.min(...deaths) < 2 && !isOver()) {
    const victim = await busiest(cluster, admin, deaths);
    await victim.kill();
    deaths[victim.id]!++;
    await victim.start();
    await waitFor('the killed broker to be in sync again', async () => {
      const { partitions } = await admin.describeTopic(TOPIC);
      return partitions.every(partition => partition.isr.length === 3);
    });
  }
  return deaths;
}

/** The broker that leads most, among those that have died least. */
async function busiest(cluster: Cluster, admin: Admin, deaths: readonly number[]): Promise<BrokerProcess> {
  const { partitions } = await waitFor('the topic to be known', () => admin.describeTopic(TOPIC));
  const least = Math.min(...deaths);
  const leads = (id: number) => partitions.filter(partition => partition.leader === id).length;
  const candidates = cluster.brokers.filter(broker => deaths[broker.id] === least);
  return candidates.reduce((best, broker) => (leads(broker.id) > leads(best.id) ? broker : best));
}

/** Every record by `partition:offset`. */
async function readAll(cluster: Cluster): Promise<Map<string, number>> {
  const consumer = createConsumer({
    'bootstrap.servers': cluster.bootstrap,
    'auto.offset.reset': 'earliest',
    'max.poll.records': 5_000,
  });
  try {
    const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
    const total = (await consumer.endOffsets(partitions)).reduce((sum, end) => sum + end, 0);
    consumer.assign(partitions);
    const read = new Map<string, number>();
    await waitFor('all records to be read', async () => {
      for (const { partition, offset, value } of await consumer.poll(1_000)) {
        expect(read.has(`${partition}:${offset}`)).toBe(false);
        read.set(`${partition}:${offset}`, Number(value!.toString()));
      }
      return read.size >= total;
    });
    return read;
  } finally {
    await consumer.close();
  }
}

/** Every record once: what was sent again must not have been written again, nor behind what came after it. */
function expectInOrder(read: ReadonlyMap<string, number>, partition: number): void {
  const inOffsetOrder = [...read]
    .map(([place, number]) => [...place.split(':').map(Number), number] as [number, number, number])
    .filter(([of]) => of === partition)
    .sort((a, b) => a[1] - b[1])
    .map(([, , number]) => number);
  const sent = Array.from({ length: Math.ceil(RECORDS / PARTITIONS) }, (_, i) => i * PARTITIONS + partition);
  expect(inOffsetOrder).toEqual(sent.filter(number => number < RECORDS));
}

/** Segments concatenated, of every replica, are the same bytes. */
async function expectEqualLogs(cluster: Cluster, admin: Admin): Promise<void> {
  const { partitions } = await admin.describeTopic(TOPIC);
  const digest = (broker: BrokerProcess, partition: number) => {
    const directory = join(broker.dataDirectory, `${TOPIC}-${partition}`);
    const segments = readdirSync(directory)
      .filter(name => name.endsWith('.log'))
      .sort();
    return createHash('sha256')
      .update(Buffer.concat(segments.map(name => readFileSync(join(directory, name)))))
      .digest('hex');
  };
  for (const { partition } of partitions) {
    await waitFor(`the replicas of partition ${partition} to be equal`, () => {
      return new Set(cluster.brokers.map(broker => digest(broker, partition))).size === 1;
    });
  }
}
