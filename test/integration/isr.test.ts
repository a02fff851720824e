import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import { createAdmin, createProducer, type KafkaError, type Producer } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { readTopic } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { Znodes } from '../support/znodes.ts';

/**
 * Followers that stand still (SIGSTOP) for less than their ZooKeeper session lasts: the cluster takes them for alive, so
 * that it is the leader alone that drops them from the ISR.
 */

const REPLICA_LAG_MS = 1_500;

let cluster: Cluster;
let znodes: Znodes;
/** The controller, so that it goes on while others are frozen; it leads the test's topics. */
let leader: BrokerProcess;
let followers: BrokerProcess[];
let topic = '';
let topics = 0;

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'min.insync.replicas': '2',
      'replica.lag.time.max.ms': String(REPLICA_LAG_MS),
      'zookeeper.session.timeout.ms': '10000',
      'auto.leader.rebalance.enable': 'false',
    },
  });
  znodes = await Znodes.open(cluster.zookeeperConnect);
  const controller = await znodes.controllerId();
  leader = cluster.brokers[controller!]!;
  followers = cluster.brokers.filter(broker => broker !== leader);
});

afterAll(async () => {
  await znodes?.close();
  await cluster?.stop();
});

beforeEach(async () => {
  topic = `watched-${topics++}`;
  const admin = createAdmin({ 'bootstrap.servers': leader.address });
  const assignment = [[leader.id, ...followers.map(broker => broker.id)]];
  await admin.createTopics([{ name: topic, assignment }]).finally(() => admin.close());
  await isrIs(cluster.brokers);
});

afterEach(async () => {
  for (const broker of followers) broker.signal('SIGCONT');
  await isrIs(cluster.brokers);
});

/** Asks ZooKeeper, as a frozen broker answers nothing. */
async function isr(): Promise<number[]> {
  const state = await znodes.json(`/brokers/topics/${topic}/partitions/0/state`);
  return (state?.isr ?? []) as number[];
}

async function isrIs(expected: readonly BrokerProcess[]): Promise<void> {
  const ids = expected.map(broker => broker.id).sort();
  await waitFor(`the ISR to be ${ids.join()}`, async () => (await isr()).sort().join() === ids.join());
}

function producerTo(broker: BrokerProcess, acks: 'all' | '1'): Producer {
  return createProducer({ 'bootstrap.servers': broker.address, acks, retries: 0, 'request.timeout.ms': 8_000 });
}

async function produce(acks: 'all' | '1', value: string): Promise<number> {
  const producer = producerTo(leader, acks);
  try {
    return (await producer.send({ topic, partition: 0, value })).offset;
  } finally {
    await producer.close();
  }
}

test('a follower that stands still leaves the ISR, and returns when it goes on', async () => {
  const [follower, other] = followers as [BrokerProcess, BrokerProcess];
  await produce('all', 'while all are in sync');
  const epoch = await znodes.brokerEpoch(follower.id);
  follower.signal('SIGSTOP');
  // As long as there is nothing new to fetch, it misses nothing.
  await produce('1', 'that it does not fetch');
  await isrIs([leader, other]);
  // It was the leader that noticed: for the controller the follower is alive.
  expect(await znodes.brokerEpoch(follower.id)).toBe(epoch);
  // Two of three are enough for min.insync.replicas=2, and nobody waits for the third any more.
  expect(await produce('all', 'while one is missing')).toBe(2);
  follower.signal('SIGCONT');
  await isrIs(cluster.brokers);
  expect(await znodes.brokerEpoch(follower.id)).toBe(epoch);
});

test('an acks=all record in flight is acknowledged once the follower it waits for is dropped', async () => {
  const [follower, other] = followers as [BrokerProcess, BrokerProcess];
  follower.signal('SIGSTOP');
  expect(await isr()).toContain(follower.id);
  const begun = performance.now();
  expect(await produce('all', 'waits for the ISR to shrink')).toBe(0);
  expect(performance.now() - begun).toBeGreaterThan(REPLICA_LAG_MS / 3);
  expect(await isr()).not.toContain(follower.id);
  await isrIs([leader, other]);
});

test('below min.insync.replicas acks=all is refused and acks=1 goes on', async () => {
  for (const follower of followers) follower.signal('SIGSTOP');
  await isrIs([leader]);
  const refused = await produce('all', 'refused').catch((error: unknown) => error as KafkaError);
  expect((refused as KafkaError).codeName).toBe('NOT_ENOUGH_REPLICAS');
  expect(await produce('1', 'one acknowledgement is enough')).toBe(0);
  for (const follower of followers) follower.signal('SIGCONT');
  await isrIs(cluster.brokers);
  expect(await produce('all', 'works again')).toBe(1);
  const read = await readTopic(cluster.bootstrap, topic, 1);
  expect([...read.values()]).toEqual(['one acknowledgement is enough', 'works again']);
});
