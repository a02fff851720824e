import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAdmin, createProducer, type ActiveProducer, type Admin, type Producer } from '../../client/index.ts';
import { absenceOf, apacheTool, whereAbsent } from '../support/apache-kafka.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { hangTransaction } from '../support/hanging-transaction.ts';
import { tool, type Outcome } from '../support/run.ts';
import { waitFor } from '../support/wait.ts';

/** Apache Kafka's tools for transactions, on transactions of Samsa; where both sides have a tool, the answers are compared. */

const TOOLS = 'org.apache.kafka.tools';
const TRANSACTIONS = `${TOOLS}.TransactionsCommand`;
/** Records about the transactions of this test: three for each that has ended, and where one is open, of each partition. */
const WRITTEN = 1 + 3 + 3 + 1 + 3;
const absent = absenceOf('3.9') !== null;

let cluster: Cluster;
let admin: Admin;
let open: Producer;

const producer = (settings: Record<string, unknown>) =>
  createProducer({ 'bootstrap.servers': cluster.bootstrap, ...settings });

beforeAll(async () => {
  if (absent) return;
  cluster = await startCluster({
    brokers: 2,
    properties: {
      'transaction.state.log.replication.factor': '2',
      'transaction.state.log.min.isr': '1',
      'transaction.state.log.num.partitions': '4',
      'transaction.partition.verification.enable': 'false',
    },
  });
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  await admin.createTopics([
    { name: 'orders', assignment: [[0], [1], [0], [1]] },
    { name: 'late', assignment: [[1]] },
  ]);
  await hangTransaction(cluster.brokers[1]!.port, { topic: 'late', partition: 0 });
  const closed = producer({ 'transactional.id': 'closed' });
  await closed.transaction(tx => void tx.send({ topic: 'orders', partition: 0, value: 'committed' }));
  await closed
    .transaction(async tx => {
      await tx.send({ topic: 'orders', partition: 0, value: 'aborted' });
      throw new Error('no');
    })
    .catch(() => {});
  await closed.close();
  open = producer({ 'transactional.id': 'an-open-one', 'transaction.timeout.ms': 600_000 });
  await open.initTransactions();
  open.beginTransaction();
  for (const partition of [0, 1, 2]) await open.send({ topic: 'orders', partition, value: 'undecided' });
  await waitFor('the markers', async () => {
    const [described] = await admin.describeTransactions(['closed']);
    return described!.status === 'fulfilled' && described!.value.state === 'CompleteAbort';
  });
}, 60_000);

afterAll(async () => {
  await open?.close(100);
  admin?.close();
  await cluster?.stop();
});

async function both(line: string): Promise<{ theirs: Outcome; mine: Outcome }> {
  const all = ['--bootstrap-server', cluster.bootstrap, ...line.split(' ')];
  const [theirs, mine] = await Promise.all([apacheTool('3.9', TRANSACTIONS, all), tool('kafka-transactions', all)]);
  return { theirs, mine };
}

/** How long a transaction has been open differs with each look at it. */
const ageless = (text: string): string => text.replace(/^((?:[^\t\n]*\t){7})\d+ *\t/gm, '$1N\t');
const rows = (text: string): string[] => ageless(text).split('\n').sort();

describe.skipIf(absent)(whereAbsent('3.9', 'kafka-transactions of Apache Kafka 3.9'), () => {
  test.each<[string, string]>([
    ['list', 'an-open-one'],
    ['describe --transactional-id an-open-one', 'orders-0,orders-1,orders-2'],
    ['describe-producers --topic orders --partition 0', 'None'],
    ['find-hanging --topic orders --max-transaction-timeout 0', 'Duration(min)'],
    ['find-hanging --broker-id 1', 'late'],
  ])('%s says the same', async (line, part) => {
    const { theirs, mine } = await both(line);
    expect(theirs.stdout).toContain(part);
    expect(rows(mine.stdout)).toEqual(rows(theirs.stdout));
    expect([mine.code, mine.stderr]).toEqual([0, '']);
    expect([theirs.code, theirs.stderr]).toEqual([0, '']);
  });

  test.each([
    'describe --transactional-id never',
    'describe-producers --topic orders --partition 0 --broker-id 1',
    'abort --topic orders --partition 0',
    'abort --topic orders --partition 0 --start-offset 77',
    'abort --topic orders --partition 0 --producer-id 1',
    'abort --topic orders --partition 0 --producer-id 1 --producer-epoch 0',
    'find-hanging',
    'find-hanging --broker-id 0 --partition 1',
    'find-hanging --topic never',
  ])('%s is wrong in the same words', async line => {
    const { theirs, mine } = await both(line);
    // What Apache's client logs comes before what the tool says, and Samsa's tools have no logging to enable.
    const said = theirs.stderr.split('\n').slice(-2).join('\n');
    expect(mine.stderr).toBe(said.replace('. Enable debug logging for additional detail.', ''));
    expect([mine.code, mine.stdout]).toEqual([1, '']);
    expect([theirs.code, theirs.stdout]).toEqual([1, '']);
  });

  test('abort of Apache’s ends what ours then shows as ended', async () => {
    const [{ producerId, producerEpoch }] = (await admin.describeProducers({ topic: 'orders', partition: 2 })) as [
      ActiveProducer,
    ];
    const named = `--producer-id ${producerId} --producer-epoch ${producerEpoch} --coordinator-epoch -5`;
    const args = `abort --topic orders --partition 2 ${named}`.split(' ');
    const aborted = await apacheTool('3.9', TRANSACTIONS, ['--bootstrap-server', cluster.bootstrap, ...args]);
    expect(aborted).toEqual({ code: 0, stdout: '', stderr: '' });
    expect(await admin.describeProducers({ topic: 'orders', partition: 2 })).toMatchObject([
      { producerId, transactionStartOffset: null },
    ]);
  });

  test('--version needs no command', async () => {
    const { code, stdout } = await tool('kafka-transactions', ['--version']);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^\d+\.\d+\.\d+\n$/)]);
  });
});

describe.skipIf(absent)(whereAbsent('3.9', '__transaction_state, read by Apache Kafka 3.9'), () => {
  test.each([
    [
      'kafka.coordinator.transaction.TransactionLog$TransactionLogMessageFormatter',
      'HashSet(orders-0, orders-1, orders-2)',
    ],
    [`${TOOLS}.consumer.TransactionLogMessageFormatter`, '"partitionIds":[0,1,2]'],
  ])('%s shows the same', async (formatter, part) => {
    const args = [
      ...['--bootstrap-server', cluster.bootstrap, '--topic', '__transaction_state', '--from-beginning'],
      ...['--max-messages', String(WRITTEN), '--timeout-ms', '30000', '--formatter', formatter],
    ];
    const [theirs, mine] = await Promise.all([
      apacheTool('3.9', `${TOOLS}.consumer.ConsoleConsumer`, args),
      tool('kafka-console-consumer', args),
    ]);
    expect(theirs.stdout).toContain('an-open-one');
    expect(theirs.stdout).toContain(part);
    // The newer formatter of 3.9 does not end its lines.
    const lines = (text: string) => rows(text.replaceAll('}{"key"', '}\n{"key"').trim());
    expect(lines(mine.stdout)).toEqual(lines(theirs.stdout));
    expect([mine.code, theirs.code]).toEqual([0, 0]);
  });
});

describe.skipIf(absent)(whereAbsent('3.9', 'kafka-producer-perf-test of Apache Kafka 3.9 in transactions'), () => {
  test('commits all, and ours reports in the same lines', async () => {
    const args = (topic: string) => [
      ...['--topic', topic, '--num-records', '3000', '--record-size', '50', '--throughput', '4000'],
      ...['--transactional-id', `perf-${topic}`, '--transaction-duration-ms', '50'],
      ...['--producer-props', `bootstrap.servers=${cluster.bootstrap}`],
    ];
    await admin.createTopics(['theirs', 'mine'].map(name => ({ name, assignment: [[0], [1]] })));
    const [theirs, mine] = await Promise.all([
      apacheTool('3.9', `${TOOLS}.ProducerPerformance`, args('theirs')),
      tool('kafka-producer-perf-test', args('mine')),
    ]);
    const shape = (text: string) =>
      text
        .trim()
        .split('\n')
        .at(-1)!
        .replaceAll(/[\d.]+/g, 'N');
    expect(theirs.stdout).toContain('3000 records sent');
    expect(shape(mine.stdout)).toBe(shape(theirs.stdout));
    expect([mine.code, theirs.code]).toEqual([0, 0]);
    for (const topic of ['theirs', 'mine']) {
      const reading = ['--bootstrap-server', cluster.bootstrap, '--topic', topic, '--from-beginning'];
      const isolation = ['--isolation-level', 'read_committed', '--max-messages', '3000'];
      const { stdout } = await tool('kafka-console-consumer', [...reading, ...isolation]);
      expect(stdout.split('\n')).toHaveLength(3001);
      const offsets = await tool('kafka-get-offsets', ['--bootstrap-server', cluster.bootstrap, '--topic', topic]);
      const ends = [...offsets.stdout.matchAll(/:(\d+)$/gm)].map(([, end]) => Number(end));
      // There are markers too, of several transactions.
      expect(ends.reduce((sum, end) => sum + end, 0)).toBeGreaterThanOrEqual(3003);
    }
  });
});
