import { existsSync, readdirSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Failpoint } from '../../broker/controller/failpoints.ts';
import { createAdmin, createProducer, type Admin, type TopicInfo } from '../../client/index.ts';
import type { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { readTopic } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { Znodes } from '../support/znodes.ts';

/**
 * One broker is made the controller, is given work, and kills itself at a named place in the middle of it. Whoever is
 * the controller next has to bring the work to its end.
 */

/** Three partitions on all brokers, each with another preferred leader. */
const SPREAD = [
  [0, 1, 2],
  [1, 2, 0],
  [2, 0, 1],
];

let cluster: Cluster;
let znodes: Znodes;
let admin: Admin;
/** The broker that is made the controller and dies, and the place that it is to die at. */
let victim: BrokerProcess;
let armed: Failpoint | null = null;
let topics = 0;

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'auto.leader.rebalance.enable': 'false',
      'log.segment.delete.delay.ms': '100',
      'zookeeper.session.timeout.ms': '1500',
      'replica.lag.time.max.ms': '3000',
    },
  });
  znodes = await Znodes.open(cluster.zookeeperConnect);
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  victim = cluster.brokers[0]!;
});

afterAll(async () => {
  admin?.close();
  await znodes?.close();
  await cluster?.stop();
});

function newTopic(): string {
  return `work-${topics++}`;
}

function survivors(): BrokerProcess[] {
  return cluster.brokers.filter(broker => broker !== victim);
}

/** The victim will kill itself when its controller comes by `failpoint`. */
async function arm(failpoint: Failpoint): Promise<void> {
  if (armed === failpoint && victim.running) return;
  await victim.kill();
  await znodes.anotherController(victim.id);
  await victim.start({ SAMSA_FAILPOINT: failpoint });
  armed = failpoint;
  await allInSync();
}

/** @param during done before the others wake up */
function makeVictimController(during?: () => Promise<void>): Promise<void> {
  return znodes.makeController(victim, survivors(), during);
}

async function victimDies(): Promise<void> {
  await waitFor(`the controller to die at ${armed}`, () => !victim.running);
}

/** All partitions of all topics have a leader, and all their replicas in sync. */
async function allInSync(): Promise<TopicInfo[]> {
  return waitFor('all replicas to be in sync', async () => {
    const all = await admin.listTopics();
    const whole = all.every(topic => topic.partitions.every(p => p.leader >= 0 && p.isr.length === p.replicas.length));
    return whole && all;
  });
}

/** The next controller is there, with a higher epoch than that of the one that died; the victim comes back. */
async function succession(epoch: number, next: Failpoint | undefined): Promise<void> {
  await znodes.anotherController(victim.id);
  expect(await controllerEpoch()).toBeGreaterThan(epoch);
  // What it is to die of next, so that it need not be started twice. It cannot be the controller before the next test.
  await victim.start(next === undefined ? {} : { SAMSA_FAILPOINT: next });
  armed = next ?? null;
}

async function controllerEpoch(): Promise<number> {
  return Number((await znodes.zk.getData('/controller_epoch'))!.data!.toString());
}

/** Whether the topic's partitions are led, complete, and take records that all replicas acknowledge. */
async function expectTopicWorks(name: string): Promise<void> {
  const topic = await waitFor(`${name} to be complete`, async () => {
    const info = await admin.describeTopic(name);
    const { partitions } = info;
    return partitions.length === SPREAD.length && partitions.every(p => p.leader >= 0 && p.isr.length === 3) && info;
  });
  const node = await znodes.json(`/brokers/topics/${name}`);
  expect(node!.topic_id).toMatch(/^[\w-]{22}$/);
  expect(topic.topicId).toBe(node!.topic_id);
  await produceToEach(name);
}

async function produceToEach(name: string): Promise<void> {
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap, acks: 'all' });
  try {
    await Promise.all(SPREAD.map((_, partition) => producer.send({ topic: name, partition, value: 'works' })));
  } finally {
    await producer.close();
  }
}

async function expectTopicGone(name: string): Promise<void> {
  for (const path of [`/brokers/topics/${name}`, `/config/topics/${name}`, `/admin/delete_topics/${name}`]) {
    await waitFor(`${path} to be gone`, async () => !(await znodes.exists(path)));
  }
  for (const broker of cluster.brokers) {
    const asked = createAdmin({ 'bootstrap.servers': broker.address });
    try {
      await waitFor(`broker ${broker.id} to forget ${name}`, async () => {
        return !(await asked.listTopics()).some(topic => topic.name === name);
      });
    } finally {
      asked.close();
    }
    await waitFor(`the files of ${name} on broker ${broker.id} to be gone`, () => {
      return !readdirSync(broker.dataDirectory).some(entry => entry.startsWith(`${name}-`));
    });
  }
}

const CREATION: readonly Failpoint[] = ['partition-creation.before-write', 'partition-creation.after-write'];
const NAMING: readonly Failpoint[] = ['topic-id.after-write'];
const OFFICE: readonly Failpoint[] = ['controller-election.after-claim', 'failover.after-load', 'send.leader-and-isr'];
const DELETION: readonly Failpoint[] = [
  'topic-deletion.before-start',
  'send.stop-replica',
  'topic-deletion.after-topic-removal',
  'topic-deletion.after-config-removal',
];
const ELECTION: readonly Failpoint[] = ['leader-election.before-write', 'leader-election.after-write'];
const FAILURE: readonly Failpoint[] = ['isr-shrink.after-write'];
const MOVE: readonly Failpoint[] = ['reassignment.after-start-write', 'reassignment.before-end-write'];
const ORDER = [...CREATION, ...NAMING, ...OFFICE, ...DELETION, ...ELECTION, ...FAILURE, ...MOVE];

function after(failpoint: Failpoint): Failpoint | undefined {
  return ORDER[ORDER.indexOf(failpoint) + 1];
}

test.each(CREATION)('a topic is created although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  await makeVictimController();
  const epoch = await controllerEpoch();
  const name = newTopic();
  // Its answer may get lost with the controller; what counts is that the topic comes.
  admin.createTopics([{ name, assignment: SPREAD }]).catch(() => undefined);
  await victimDies();
  await succession(epoch, after(failpoint));
  await expectTopicWorks(name);
});

test.each(NAMING)('a topic without an id is given one although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  await makeVictimController();
  const epoch = await controllerEpoch();
  const name = newTopic();
  await znodes.writeTopic(name, SPREAD);
  await victimDies();
  await succession(epoch, after(failpoint));
  await expectTopicWorks(name);
});

test.each(OFFICE)('a topic is created although the new controller dies at %s', async failpoint => {
  await arm(failpoint);
  const epoch = await controllerEpoch();
  const name = newTopic();
  await makeVictimController(async () => {
    await victimDies();
    await znodes.writeTopic(name, SPREAD);
  });
  await succession(epoch, after(failpoint));
  await expectTopicWorks(name);
});

test.each(DELETION)('a topic is deleted although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  const name = newTopic();
  await admin.createTopics([{ name, assignment: SPREAD, configs: { 'retention.ms': '1000000' } }]);
  await produceToEach(name);
  expect(cluster.brokers.every(broker => existsSync(`${broker.dataDirectory}/${name}-0`))).toBe(true);
  await makeVictimController();
  const epoch = await controllerEpoch();
  admin.deleteTopics([name]).catch(() => undefined);
  await victimDies();
  await succession(epoch, after(failpoint));
  await expectTopicGone(name);
});

test.each(ELECTION)('preferred leaders are elected although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  const name = newTopic();
  await admin.createTopics([{ name, assignment: SPREAD }]);
  await expectTopicWorks(name);
  const moved = survivors()[0]!;
  // Its leaderships move away, and stay away as nobody rebalances.
  expect(await moved.stop()).toBe(0);
  await moved.start();
  const known = await allInSync();
  const partition = SPREAD.findIndex(([preferred]) => preferred === moved.id);
  expect(known.find(topic => topic.name === name)!.partitions[partition]!.leader).not.toBe(moved.id);
  await makeVictimController();
  const epoch = await controllerEpoch();
  await znodes.write('/admin/preferred_replica_election', { version: 1, partitions: [{ topic: name, partition }] });
  await victimDies();
  await succession(epoch, after(failpoint));
  await waitFor('the preferred leader to lead', async () => {
    return (await admin.describeTopic(name)).partitions[partition]!.leader === moved.id;
  });
  await waitFor('the request to be done with', async () => !(await znodes.exists('/admin/preferred_replica_election')));
  await produceToEach(name);
});

test.each(FAILURE)('a dead leader is replaced although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  const name = newTopic();
  await admin.createTopics([{ name, assignment: SPREAD }]);
  await expectTopicWorks(name);
  await makeVictimController();
  const epoch = await controllerEpoch();
  const [dead, left] = survivors();
  await dead!.kill();
  await victimDies();
  await waitFor('the last broker to lead everything', async () => {
    return (await admin.describeTopic(name)).partitions.every(p => p.leader === left!.id);
  });
  await dead!.start();
  await succession(epoch, after(failpoint));
  await expectTopicWorks(name);
});

test.each(MOVE)('a partition is reassigned although the controller dies at %s', async failpoint => {
  await arm(failpoint);
  const name = newTopic();
  const [from, to] = survivors();
  await admin.createTopics([{ name, assignment: [[from!.id]] }]);
  const producer = createProducer({ 'bootstrap.servers': cluster.bootstrap, acks: 'all' });
  await Promise.all(Array.from({ length: 50 }, (_, i) => producer.send({ topic: name, partition: 0, value: `${i}` })));
  await producer.close();
  await makeVictimController();
  const epoch = await controllerEpoch();
  await znodes.write('/admin/reassign_partitions', {
    version: 1,
    partitions: [{ topic: name, partition: 0, replicas: [to!.id] }],
  });
  await victimDies();
  await succession(epoch, after(failpoint));
  await waitFor('the partition to be moved', async () => {
    const [partition] = (await admin.describeTopic(name)).partitions;
    return [partition!.replicas, partition!.isr, [partition!.leader]].every(each => each.join() === String(to!.id));
  });
  await waitFor('the request to be done with', async () => !(await znodes.exists('/admin/reassign_partitions')));
  await waitFor('the old replica to be gone', () => !existsSync(`${from!.dataDirectory}/${name}-0`));
  expect((await readTopic(cluster.bootstrap, name, 1)).size).toBe(50);
});
