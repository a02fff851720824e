import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer, type Admin, type Consumer } from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { HANGING_PRODUCER_ID, hangTransaction } from '../support/hanging-transaction.ts';
import { tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** A transaction that no coordinator will ever end: with kafka-transactions it is found and ended (KIP-664). */

const topic = 'payments';

let cluster: Cluster;
let admin: Admin;
let reader: Consumer;

beforeAll(async () => {
  cluster = await startCluster({
    brokers: 1,
    properties: { 'transaction.partition.verification.enable': 'false' },
  });
  const settings = { 'bootstrap.servers': cluster.bootstrap };
  admin = createAdmin(settings);
  await admin.createTopics([{ name: topic, partitions: 2, replicationFactor: 1 }]);
  const producer = createProducer(settings);
  await producer.send({ topic, partition: 1, value: 'before' });
  await hangTransaction(cluster.brokers[0]!.port, { topic, partition: 1 });
  await producer.send({ topic, partition: 1, value: 'behind' });
  await producer.close();
  reader = createConsumer({ ...settings, 'isolation.level': 'read_committed' });
  reader.assign([{ topic, partition: 1 }]);
  reader.seek(topic, 1, 0);
}, 60_000);

afterAll(async () => {
  await reader?.close();
  admin?.close();
  await cluster?.stop();
});

const transactions = (...args: string[]) =>
  tool('kafka-transactions', ['--bootstrap-server', cluster.bootstrap, ...args]);

async function lateTransactions(): Promise<number> {
  const page = await (await fetch(`http://127.0.0.1:${cluster.brokers[0]!.port}/metrics`)).text();
  return Number(/^kafka_server_replicamanager_partitionswithlatetransactionscount (\d+)$/m.exec(page)![1]);
}

const read: string[] = [];

async function readUntil(value: string): Promise<void> {
  await waitFor(`a reader to come to "${value}"`, async () => {
    for (const record of await reader.poll(100)) read.push(String(record.value));
    return read.includes(value);
  });
}

test('metrics and find-hanging show it, abort ends it, and readers of committed records go on', async () => {
  await readUntil('before');
  expect(await lateTransactions()).toBe(1);
  expect(await transactions('list')).toMatchObject({ stdout: expect.not.stringContaining('Ongoing') });
  const tooYoung = await transactions('find-hanging', '--topic', topic, '--max-transaction-timeout', '90');
  expect(tooYoung.stdout.trim().split('\n')).toHaveLength(1);

  const found = await transactions('find-hanging', '--broker-id', '0');
  const rows = found.stdout.trim().split('\n').slice(1);
  expect(rows.map(row => row.split('\t').map(cell => cell.trim()))).toEqual([
    [topic, '1', String(HANGING_PRODUCER_ID), '0', '-1', '1', expect.stringMatching(/^\d{13}$/), '60'],
  ]);
  expect(await reader.poll(300)).toEqual([]);

  const aborted = await transactions('abort', '--topic', topic, '--partition', '1', '--start-offset', '1');
  expect(aborted).toEqual({ code: 0, stdout: '', stderr: '' });
  await readUntil('behind');
  expect(read).toEqual(['before', 'behind']);
  expect(await lateTransactions()).toBe(0);
  const after = await transactions('find-hanging', '--broker-id', '0');
  expect(after.stdout.trim().split('\n')).toHaveLength(1);
});
