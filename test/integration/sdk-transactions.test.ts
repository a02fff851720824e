import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createAdmin,
  createConsumer,
  createProducer,
  TransactionError,
  type Admin,
  type Producer,
} from '../../client/index.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { tool } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** Transactions of the SDK on three real brokers, in both dialects, and what readers, tools and REST show of them. */

const PARTITIONS = 3;

let cluster: Cluster;
let admin: Admin;
const producers: Producer[] = [];

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'transaction.state.log.replication.factor': '3',
      'transaction.state.log.min.isr': '2',
      'transaction.state.log.num.partitions': '5',
      'transaction.abort.timed.out.transaction.cleanup.interval.ms': '500',
      'offsets.topic.replication.factor': '3',
      'offsets.topic.num.partitions': '5',
    },
  });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
}, 60_000);

afterAll(async () => {
  await Promise.all(producers.map(producer => producer.close(1_000)));
  admin.close();
  await cluster.stop();
});

async function createTopic(name: string): Promise<string> {
  await admin.createTopics([{ name, partitions: PARTITIONS, replicationFactor: 3 }]);
  return name;
}

function transactional(transactionalId: string, settings: Record<string, unknown> = {}): Producer {
  const producer = createProducer({
    'bootstrap.servers': cluster.bootstrap,
    'transactional.id': transactionalId,
    ...settings,
  });
  producers.push(producer);
  return producer;
}

/** What is in a topic, sorted. */
async function read(topic: string, isolation: string, dialect = 'http2'): Promise<string[]> {
  const consumer = createConsumer({
    'bootstrap.servers': cluster.bootstrap,
    'isolation.level': isolation,
    'samsa.dialect': dialect,
  });
  const partitions = Array.from({ length: PARTITIONS }, (_, partition) => ({ topic, partition }));
  consumer.assign(partitions);
  const [begins, ends] = [await consumer.beginningOffsets(partitions), await consumer.endOffsets(partitions)];
  for (const [i, begin] of begins.entries()) consumer.seek(topic, i, begin);
  const values: string[] = [];
  const isDone = async () => {
    const positions = await Promise.all(partitions.map(({ partition }) => consumer.position(topic, partition)));
    return positions.every((position, i) => position >= ends[i]!);
  };
  while (!(await isDone())) for (const { value } of await consumer.poll(100)) values.push(String(value));
  await consumer.close();
  return values.sort();
}

const sendAll = (producer: { send: Producer['send'] }, topic: string, values: readonly string[]) =>
  values.map((value, i) => producer.send({ topic, partition: i % PARTITIONS, value }));

describe.each(['http2', 'kafka'])('in the dialect %s', dialect => {
  const settings = { 'samsa.dialect': dialect };

  test('readers of committed records see whole transactions, and none that was aborted', async () => {
    const topic = await createTopic(`committed-${dialect}`);
    const producer = transactional(`committed-${dialect}`, settings);
    await producer.initTransactions();
    for (const [i, isCommitted] of [true, false, true, false].entries()) {
      producer.beginTransaction();
      void Promise.allSettled(sendAll(producer, topic, [`${i}a`, `${i}b`, `${i}c`, `${i}d`]));
      await producer.flush();
      await (isCommitted ? producer.commitTransaction() : producer.abortTransaction());
    }
    const committed = ['0a', '0b', '0c', '0d', '2a', '2b', '2c', '2d'];
    await waitFor(
      'the markers',
      async () => (await read(topic, 'read_committed', dialect)).length === committed.length,
    );
    expect(await read(topic, 'read_committed', dialect)).toEqual(committed);
    expect(await read(topic, 'read_uncommitted', dialect)).toHaveLength(16);
  });

  test('a transaction that nobody has ended hides what comes behind it, until its time is over', async () => {
    const topic = await createTopic(`open-${dialect}`);
    const producer = transactional(`open-${dialect}`, { ...settings, 'transaction.timeout.ms': 2_000 });
    await producer.initTransactions();
    producer.beginTransaction();
    await Promise.all(sendAll(producer, topic, ['a', 'b', 'c']));
    const plain = createProducer({ 'bootstrap.servers': cluster.bootstrap });
    producers.push(plain);
    await Promise.all(sendAll(plain, topic, ['x', 'y', 'z']));
    expect(await read(topic, 'read_committed', dialect)).toEqual([]);
    await waitFor('the abort', async () => (await read(topic, 'read_committed', dialect)).length > 2);
    expect(await read(topic, 'read_committed', dialect)).toEqual(['x', 'y', 'z']);
    await expect(producer.commitTransaction()).rejects.toBeInstanceOf(TransactionError);
  });

  test('a zombie is fenced, and nothing of it is seen', async () => {
    const topic = await createTopic(`zombie-${dialect}`);
    const zombie = transactional(`zombie-${dialect}`, settings);
    await zombie.initTransactions();
    zombie.beginTransaction();
    await Promise.all(sendAll(zombie, topic, ['old']));
    const successor = transactional(`zombie-${dialect}`, settings);
    await successor.transaction(tx => void sendAll(tx, topic, ['new']));
    void sendAll(zombie, topic, ['late', 'later']);
    await expect(zombie.commitTransaction()).rejects.toThrow(TransactionError);
    await waitFor('the marker', async () => (await read(topic, 'read_committed', dialect)).length === 1);
    expect(await read(topic, 'read_committed', dialect)).toEqual(['new']);
  });

  test('offsets of a group hold when their transaction is committed', async () => {
    const topic = await createTopic(`consumed-${dialect}`);
    const group = `copiers-${dialect}`;
    const consumer = createConsumer({
      'bootstrap.servers': cluster.bootstrap,
      'group.id': group,
      'auto.offset.reset': 'earliest',
      'enable.auto.commit': 'false',
      ...settings,
    });
    consumer.subscribe([topic]);
    await waitFor('an assignment', async () => {
      await consumer.poll(100);
      return consumer.assignment().length === PARTITIONS;
    });
    const producer = transactional(`copier-${dialect}`, settings);
    const offsets = [{ topic, partition: 0, offset: 7 }];
    const failed = producer.transaction(async tx => {
      await tx.sendOffsets([{ topic, partition: 0, offset: 3 }], consumer.groupMetadata());
      throw new Error('no');
    });
    await expect(failed).rejects.toThrow('no');
    await producer.transaction(tx => tx.sendOffsets(offsets, consumer.groupMetadata()));
    const [told] = await admin.listGroupOffsets([{ groupId: group, partitions: [{ topic, partition: 0 }] }], {
      requireStable: true,
    });
    expect(told).toMatchObject({ status: 'fulfilled', value: offsets });
    const stale = { ...consumer.groupMetadata(), generationId: 77 };
    await expect(producer.transaction(tx => tx.sendOffsets(offsets, stale))).rejects.toThrow(TransactionError);
    await consumer.close();
  });

  test('transaction(work) commits what work sent, and aborts when it throws', async () => {
    const topic = await createTopic(`work-${dialect}`);
    const producer = transactional(`work-${dialect}`, settings);
    await producer.transaction(tx => void sendAll(tx, topic, ['a', 'b', 'c']));
    const failed = producer.transaction(async tx => {
      await Promise.all(sendAll(tx, topic, ['d', 'e']));
      throw new Error('of the work');
    });
    await expect(failed).rejects.toThrow('of the work');
    await waitFor('the markers', async () => (await read(topic, 'read_committed', dialect)).length === 3);
    expect(await read(topic, 'read_committed', dialect)).toEqual(['a', 'b', 'c']);
  });
});

describe('what others show', () => {
  let topic: string;
  let hanging: Producer;

  beforeAll(async () => {
    topic = await createTopic('shown');
    const producer = transactional('shown');
    await producer.transaction(tx => void sendAll(tx, topic, ['seen']));
    await producer
      .transaction(async tx => {
        await Promise.all(sendAll(tx, topic, ['aborted']));
        throw new Error('no');
      })
      .catch(() => {});
    hanging = transactional('left-open');
    await hanging.initTransactions();
    hanging.beginTransaction();
    await hanging.send({ topic, partition: 1, value: 'undecided' });
    await waitFor('the markers', async () => (await read(topic, 'read_committed')).join() === 'seen');
  });

  const bootstrap = () => ['--bootstrap-server', cluster.bootstrap];

  test('kafka-console-consumer --isolation-level', async () => {
    const args = [...bootstrap(), '--topic', topic, '--from-beginning', '--timeout-ms', '3000'];
    const all = await tool('kafka-console-consumer', args);
    expect(all.stdout.split('\n').sort()).toEqual(['', 'aborted', 'seen', 'undecided']);
    const committed = await tool('kafka-console-consumer', [...args, '--isolation-level', 'read_committed']);
    expect(committed.stdout).toBe('seen\n');
  });

  test('REST', async () => {
    const records = async (query: string) => {
      const { port } = cluster.brokers[0]!;
      const answer = await fetch(`http://127.0.0.1:${port}/topics/${topic}/partitions/0/records${query}`);
      return (await answer.json()) as { records: { value: string }[]; next_offset: number };
    };
    const values = (page: { records: { value: string }[] }) => page.records.map(({ value }) => value);
    expect(values(await records(''))).toEqual(['seen', 'aborted']);
    const begun = performance.now();
    const page = await records('?isolation=read_committed');
    expect(values(page)).toEqual(['seen']);
    // Behind the marker: the next page does not look at all that again.
    expect(page.next_offset).toBe(4);
    expect(performance.now() - begun).toBeLessThan(4_000);
    expect(await records('?isolation=serializable')).toMatchObject({
      message: expect.stringContaining('read_committed'),
    });
  });

  test('kafka-transactions: list, describe, describe-producers', async () => {
    const list = await tool('kafka-transactions', [...bootstrap(), 'list']);
    expect(list.stdout).toMatch(/^TransactionalId *\tCoordinator\tProducerId\tTransactionState\t\n/);
    expect(list.stdout).toMatch(/^left-open *\t\d *\t\d+ *\tOngoing *\t$/m);
    const described = await tool('kafka-transactions', [...bootstrap(), 'describe', '--transactional-id', 'left-open']);
    expect(described.stdout.split('\n')[1]).toMatch(
      /^\d *\tleft-open *\t\d+ *\t0 *\tOngoing *\t60000 *\t\d+ *\t\d+ *\tshown-1 *\t$/,
    );
    const none = await tool('kafka-transactions', [...bootstrap(), 'describe', '--transactional-id', 'nobody']);
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('could not be found') });
    const args = [...bootstrap(), 'describe-producers', '--topic', topic, '--partition', '1'];
    const producersThere = await tool('kafka-transactions', args);
    expect(producersThere.stdout.split('\n')[1]).toMatch(/^\d+ *\t0 *\t-1 *\t0 *\t\d{13} *\t0 *\t$/);
  });

  test('kafka-transactions find-hanging finds none that its coordinator knows', async () => {
    const args = [...bootstrap(), 'find-hanging', '--topic', topic, '--max-transaction-timeout', '0'];
    expect((await tool('kafka-transactions', args)).stdout.trim().split('\n')).toHaveLength(1);
  });

  test('kafka-transactions abort ends a transaction in a partition', async () => {
    const args = [...bootstrap(), 'abort', '--topic', topic, '--partition', '1'];
    const nowhere = await tool('kafka-transactions', [...args, '--start-offset', '7']);
    expect(nowhere).toMatchObject({ code: 1, stderr: expect.stringContaining('Could not find any open transactions') });
    expect(await tool('kafka-transactions', [...args, '--start-offset', '0'])).toMatchObject({ code: 0, stderr: '' });
    const [producer] = await admin.describeProducers({ topic, partition: 1 });
    expect(producer).toMatchObject({ transactionStartOffset: null, coordinatorEpoch: 0 });
    expect(await read(topic, 'read_committed')).toEqual(['seen']);
  });

  test('the records of __transaction_state', async () => {
    const args = [...bootstrap(), '--topic', '__transaction_state', '--from-beginning', '--timeout-ms', '3000'];
    const shown = await tool('kafka-console-consumer', [
      ...args,
      '--formatter',
      'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter',
    ]);
    expect(shown.stdout).toContain('left-open::TransactionMetadata(transactionalId=left-open, producerId=');
    expect(shown.stdout).toMatch(/^shown::.*state=CompleteAbort, pendingState=None, topicPartitions=HashSet\(\)/m);
  });
});
