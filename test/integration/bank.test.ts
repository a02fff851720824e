import { afterEach, expect, test } from 'vitest';
import { createAdmin, createConsumer, createProducer } from '../../client/index.ts';
import type { Random } from '../../shared/runtime/random.ts';
import { Ledger, type Booking, type Order } from '../support/bank.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { MemberProcess } from '../support/member-process.ts';
import { seededRandom } from '../support/seeded-random.ts';
import { waitFor } from '../support/wait.ts';

/** Seconds of trouble: `npm run test:soak` makes them three minutes. */
const SECONDS = Number(process.env.BANK_SECONDS ?? 25);
const SEED = Number(process.env.BANK_SEED ?? Date.now() % 1_000_000);
const ACCOUNTS = 10;
const ORDER_PARTITIONS = 8;
const CLERKS = 8;
const TRANSACTION_TIMEOUT_MS = 8_000;
const SWEEP_MS = 1_000;
/** ZooKeeper notices a death (3 s and two ticks), leaders move, and a transaction's partitions are told. */
const FAIL_OVER_MS = 15_000;

let cluster: Cluster | null = null;
const clerks: Clerk[] = [];

afterEach(async () => {
  for (const clerk of clerks) await clerk.stop();
  await cluster?.stop();
});

const pause = (ms: number) => new Promise(resolve => setTimeout(resolve, ms));

/** One desk, at which one process works after the other. */
class Clerk {
  readonly #settings: Readonly<Record<string, string>>;
  #process: MemberProcess | null = null;
  troubles = 0;

  constructor(settings: Readonly<Record<string, string>>) {
    this.#settings = settings;
  }

  start(): void {
    this.#process = new MemberProcess('orders', this.#settings, () => this.troubles++, 'bank-clerk.ts');
  }

  /** Killed, or frozen for so long that others have taken over; in either case another process takes the desk. */
  async suffer(random: Random): Promise<void> {
    const former = this.#process;
    if (former === null) return;
    this.#process = null;
    const isFrozen = random.int(2) === 0;
    if (isFrozen) former.freeze();
    else await former.kill();
    await pause(500 + random.int(5_000));
    this.start();
    if (!isFrozen) return;
    await pause(random.int(4_000));
    // A zombie: it goes on where it was, and has to find out.
    former.thaw();
    await pause(2_000);
    await former.kill();
  }

  async stop(): Promise<void> {
    await this.#process?.kill();
    this.#process = null;
  }
}

/** One broker at a time, when all replicas are in sync again. */
async function troubleBrokers({ brokers, bootstrap }: Cluster, random: Random, isOver: () => boolean): Promise<number> {
  const admin = createAdmin({ 'bootstrap.servers': bootstrap });
  const isWhole = async () => {
    const topics = await admin.listTopics();
    return topics.every(({ partitions }) => partitions.every(({ isr }) => isr.length === brokers.length));
  };
  let count = 0;
  while (!isOver()) {
    await waitFor('all replicas to be in sync', isWhole, { timeoutMs: 60_000 });
    await pause(1_000 + random.int(2_000));
    if (isOver()) break;
    count++;
    await inflict(brokers[random.int(brokers.length)]!, random);
  }
  admin.close();
  return count;
}

async function inflict(broker: BrokerProcess, random: Random): Promise<void> {
  if (random.int(3) > 0) {
    await broker.kill();
    await pause(random.int(3_000));
    await broker.start();
  } else {
    broker.signal('SIGSTOP');
    await pause(1_000 + random.int(5_000));
    broker.signal('SIGCONT');
  }
}

/** The longest that any transaction was seen open, in milliseconds. */
async function watchTransactions(bootstrap: string, isOver: () => boolean): Promise<number> {
  const admin = createAdmin({ 'bootstrap.servers': bootstrap, 'default.api.timeout.ms': '10000' });
  let longest = 0;
  while (!isOver()) {
    await pause(500);
    try {
      const listed = await admin.listTransactions({ states: ['Ongoing', 'PrepareCommit', 'PrepareAbort'] });
      const outcomes = await admin.describeTransactions(listed.map(({ transactionalId }) => transactionalId));
      for (const outcome of outcomes) {
        if (outcome.status === 'rejected' || !/Ongoing|Prepare/.test(outcome.value.state)) continue;
        longest = Math.max(longest, Date.now() - (outcome.value.startTimeMs ?? Date.now()));
      }
    } catch {
      // A coordinator that is down is asked again.
    }
  }
  admin.close();
  return longest;
}

async function giveOrders(bootstrap: string, random: Random, isOver: () => boolean): Promise<number> {
  const producer = createProducer({ 'bootstrap.servers': bootstrap, 'request.timeout.ms': '4000' });
  const sent: Promise<unknown>[] = [];
  for (let id = 0; !isOver(); id++) {
    const from = random.int(ACCOUNTS);
    const order: Order = {
      id,
      from,
      to: (from + 1 + random.int(ACCOUNTS - 1)) % ACCOUNTS,
      amount: 1 + random.int(100),
    };
    sent.push(producer.send({ topic: 'orders', partition: id % ORDER_PARTITIONS, value: JSON.stringify(order) }));
    await pause(10);
  }
  await Promise.all(sent);
  await producer.close();
  return sent.length;
}

test(
  `${CLERKS} clerks book orders in transactions while all that can die dies, for ${SECONDS} s: each order is applied once`,
  { timeout: (3 * SECONDS + 240) * 1000 },
  async () => {
    console.log(`bank: BANK_SEED=${SEED}`);
    const random = seededRandom(SEED);
    const fork = () => seededRandom(random.int(2 ** 31));
    cluster = await startCluster({
      properties: {
        'offsets.topic.replication.factor': '3',
        'offsets.topic.num.partitions': '3',
        'transaction.state.log.replication.factor': '3',
        'transaction.state.log.min.isr': '2',
        'transaction.state.log.num.partitions': '3',
        'transaction.abort.timed.out.transaction.cleanup.interval.ms': String(SWEEP_MS),
        'group.min.session.timeout.ms': '1000',
        'group.initial.rebalance.delay.ms': '200',
        'zookeeper.session.timeout.ms': '3000',
        'replica.lag.time.max.ms': '3000',
        'min.insync.replicas': '2',
      },
    });
    const { bootstrap } = cluster;
    const admin = createAdmin({ 'bootstrap.servers': bootstrap });
    await admin.createTopics([
      { name: 'orders', partitions: ORDER_PARTITIONS, replicationFactor: 3 },
      { name: 'accounts', partitions: ACCOUNTS, replicationFactor: 3 },
    ]);
    for (let n = 1; n <= CLERKS; n++) {
      const clerk = new Clerk({
        'bootstrap.servers': bootstrap,
        'transactional.id': `clerk-${n}`,
        'transaction.timeout.ms': String(TRANSACTION_TIMEOUT_MS),
        'samsa.dialect': n % 2 === 0 ? 'kafka' : 'http2',
      });
      clerks.push(clerk);
      clerk.start();
    }
    const end = performance.now() + SECONDS * 1000;
    const isOver = () => performance.now() > end;
    let isDone = false;
    const watching = watchTransactions(bootstrap, () => isDone);
    const brokersTroubled = troubleBrokers(cluster, fork(), isOver);
    const ordered = giveOrders(bootstrap, fork(), isOver);
    const choice = fork();
    const suffering: Promise<void>[] = [];
    while (!isOver()) {
      await pause(500 + choice.int(2_500));
      suffering.push(clerks[choice.int(CLERKS)]!.suffer(fork()));
    }
    const [orders, brokerTroubles] = await Promise.all([ordered, brokersTroubled, ...suffering]);

    const ledger = new Ledger();
    const reader = createConsumer({ 'bootstrap.servers': bootstrap, 'isolation.level': 'read_committed' });
    const accounts = Array.from({ length: ACCOUNTS }, (_, partition) => ({ topic: 'accounts', partition }));
    reader.assign(accounts);
    for (const { topic, partition } of accounts) reader.seek(topic, partition, 0);
    const readOn = async () => {
      const records = await reader.poll(500);
      for (const { partition, value } of records) ledger.read(partition, JSON.parse(String(value)) as Booking);
      return records.length === 0 && ledger.applied >= orders;
    };
    await waitFor('all orders to be applied', readOn, { timeoutMs: 120_000, everyMs: 0 });
    for (const clerk of clerks) await clerk.stop();
    isDone = true;
    // What was open when the last clerk stopped.
    const limitMs = TRANSACTION_TIMEOUT_MS + SWEEP_MS + FAIL_OVER_MS;
    await waitFor(
      'no transaction to be open',
      async () => (await admin.listTransactions({ states: ['Ongoing', 'PrepareCommit', 'PrepareAbort'] })).length === 0,
      { timeoutMs: limitMs },
    );
    await readOn();
    await reader.close();
    admin.close();
    const longestMs = await watching;
    console.log(
      `bank: ${orders} orders, ${suffering.length} clerks and ${brokerTroubles} brokers in trouble; ` +
        `no transaction was open for longer than ${longestMs} ms`,
    );
    expect(ledger.check(orders)).toEqual([]);
    expect(longestMs).toBeLessThan(limitMs);
  },
);
