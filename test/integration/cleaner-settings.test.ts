import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Admin, type Producer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { waitFor } from '../support/wait.ts';

/** Several threads compact several partitions of a real broker, and get other settings while they do. */

const TOPIC = 'state';
const PARTITIONS = 6;
const KEYS = 40;

let cluster: Cluster;
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 1,
    properties: { 'log.cleaner.threads': '2', 'log.cleaner.backoff.ms': '100', 'log.segment.delete.delay.ms': '200' },
  });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const configs = { 'cleanup.policy': 'compact', 'segment.bytes': '20000', 'min.cleanable.dirty.ratio': '0.01' };
  await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 1, configs }]);
  producer = createProducer({ 'bootstrap.servers': cluster.bootstrap });
}, 60_000);

afterAll(async () => {
  await producer?.close();
  admin?.close();
  await cluster?.stop();
});

/** By partition, how often its log has been cleaned. */
function cleanings(): number[] {
  const counts = new Array<number>(PARTITIONS).fill(0);
  for (const line of cluster.brokers[0]!.output.split('\n')) {
    const partition = /"partition":(\d+)/.exec(line)?.[1];
    if (line.includes('cleaned a log') && line.includes(`"topic":"${TOPIC}"`)) counts[Number(partition)]!++;
  }
  return counts;
}

/** All values that are left; the last record of a partition is never cleaned away, and tells that all have been read. */
async function valuesLeft(): Promise<Set<string>> {
  const consumer = createConsumer({ 'bootstrap.servers': cluster.bootstrap, 'auto.offset.reset': 'earliest' });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic: TOPIC, partition }));
  const unread = new Map((await consumer.endOffsets(partitions)).map((end, partition) => [partition, end - 1]));
  consumer.assign(partitions);
  const values = new Set<string>();
  await waitFor('all records to be read', async () => {
    for (const { partition, offset, value } of await consumer.poll(500)) {
      values.add(String(value));
      if (offset === unread.get(partition)) unread.delete(partition);
    }
    return unread.size === 0;
  });
  await consumer.close();
  return values;
}

test('threads come and go, buffers and the throttle change: every partition goes on being cleaned, and keeps its last values', async () => {
  let written = 0;
  const last = new Map<string, string>();
  const write = async () => {
    for (let n = 0; n < 600; n++) {
      const [partition, key] = [written % PARTITIONS, `k${written % KEYS}`];
      const value = `${written++} ${'.'.repeat(60)}`;
      last.set(`${partition} ${key}`, value);
      producer.send({ topic: TOPIC, partition, key, value }, () => {});
    }
    await producer.flush();
  };
  /** Writes on until each partition has been cleaned some times more. */
  const goOn = async (when: string) => {
    const goals = cleanings().map(count => count + 2);
    await waitFor(`all partitions to be cleaned ${when}`, async () => {
      await write();
      return cleanings().every((count, partition) => count >= goals[partition]!);
    });
  };
  const set = (name: string, value: string) =>
    admin.alterConfigs({ type: 'broker', name: '' }, [{ name, value, operation: 'set' }]);

  await goOn('by two threads');
  await set('log.cleaner.threads', '4');
  await goOn('by four threads');
  await set('log.cleaner.dedupe.buffer.size', String(8 << 20));
  await set('log.cleaner.io.buffer.size', '65536');
  await goOn('with other buffers');
  await set('log.cleaner.io.max.bytes.per.second', '2000000');
  await set('log.cleaner.backoff.ms', '50');
  await goOn('at another pace');
  // By half at a time, as Kafka has it.
  await set('log.cleaner.threads', '2');
  await goOn('by two threads again');
  await set('log.cleaner.threads', '1');
  await goOn('by one thread');

  const values = await valuesLeft();
  for (const [place, value] of last) expect(values, `the last value of ${place}`).toContain(value);
  expect(values.size).toBeLessThan(written);
  expect(cluster.brokers[0]!.output).not.toMatch(/offline|cannot be cleaned|"level":50/);
});
