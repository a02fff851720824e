import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  createAdmin,
  createProducer,
  type Admin,
  type KafkaError,
  type PartitionInfo,
  type TopicInfo,
} from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { startCluster, type Cluster } from '../support/cluster.ts';
import { freePorts } from '../support/free-ports.ts';
import { tool } from '../support/run.ts';
import { readTopic, SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { Znodes } from '../support/znodes.ts';

/** What a broker and its topics live through, from the start to the stop. */

const STARTED = /"ms":(\d+)[^\n]*\[KafkaServer id=\d+\] started/;

let cluster: Cluster;
let znodes: Znodes;
let admin: Admin;

beforeAll(async () => {
  cluster = await startCluster({
    properties: {
      'auto.leader.rebalance.enable': 'false',
      'replica.lag.time.max.ms': '1500',
      'log.segment.delete.delay.ms': '100',
    },
  });
  znodes = await Znodes.open(cluster.zookeeperConnect);
  admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
});

afterAll(async () => {
  admin?.close();
  await znodes?.close();
  await cluster?.stop();
});

async function partition(topic: string, number = 0): Promise<PartitionInfo> {
  return (await admin.describeTopic(topic)).partitions[number]!;
}

/** Waits until the broker that is asked knows the topic, with leaders and all replicas in sync; another may still lag. */
function allInSync(topic: string): Promise<TopicInfo> {
  return waitFor(`${topic} to be complete`, async () => {
    const info = await admin.describeTopic(topic);
    return info.partitions.every(({ leader, isr, replicas }) => leader >= 0 && isr.length === replicas.length) && info;
  });
}

/** @returns the offset @throws KafkaError */
async function produce(topic: string, value: string, acks = 'all', patienceMs = 30_000): Promise<number> {
  const producer = createProducer({
    'bootstrap.servers': cluster.bootstrap,
    acks,
    'request.timeout.ms': Math.min(patienceMs, 5_000),
    'delivery.timeout.ms': patienceMs,
  });
  try {
    return (await producer.send({ topic, partition: 0, value })).offset;
  } finally {
    await producer.close();
  }
}

async function values(topic: string): Promise<string[]> {
  return [...(await readTopic(cluster.bootstrap, topic, 1)).values()];
}

test('a start says how long it took', () => {
  for (const broker of cluster.brokers) {
    const ms = Number(STARTED.exec(broker.output)?.[1]);
    expect(ms).toBeGreaterThan(0);
    expect(ms).toBeLessThan(10_000);
  }
});

test('a stopped broker hands its leaderships over first, unnoticed, and finds everything again', async () => {
  const topic = 'handed-over';
  const [leaving] = cluster.brokers as [BrokerProcess];
  await admin.createTopics([
    {
      name: topic,
      assignment: [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
      ],
    },
  ]);
  await allInSync(topic);
  const writer = new SteadyWriter({ bootstrap: cluster.bootstrap, topic, partitions: 3 });
  await writer.progress();

  const registrationWhenMoved = Promise.all([0, 1].map(number => registeredWhenLeaderMoves(topic, number, leaving.id)));
  expect(await leaving.stop()).toBe(0);
  expect(await registrationWhenMoved).toEqual([true, true]);
  expect(await znodes.exists(`/brokers/ids/${leaving.id}`)).toBe(false);
  expect(existsSync(join(leaving.dataDirectory, '.kafka_cleanshutdown'))).toBe(true);
  await writer.progress();

  await leaving.start();
  await allInSync(topic);
  await writer.progress();
  await writer.stop();
  expect(writer.failed).toEqual([]);
  expect(await writer.lost()).toEqual([]);
});

/** Waits until another broker leads, and tells whether the former leader was still registered then. */
async function registeredWhenLeaderMoves(topic: string, number: number, former: number): Promise<boolean> {
  const path = `/brokers/topics/${topic}/partitions/${number}/state`;
  for (;;) {
    const changed = new Promise<unknown>(resolve => {
      void znodes.zk.getData(path, resolve).then(found => {
        const { leader } = JSON.parse(found!.data!.toString()) as { leader: number };
        if (leader !== former) resolve(null);
      });
    });
    await changed;
    const registered = await znodes.exists(`/brokers/ids/${former}`);
    if (((await znodes.json(path)) as { leader: number }).leader !== former) return registered;
  }
}

test('a whole cluster that is stopped and started again has everything', async () => {
  const topic = 'kept';
  await admin.createTopics([{ name: topic, assignment: [[1, 2, 0]], configs: { 'retention.ms': '123456789' } }]);
  const before = await allInSync(topic);
  for (let i = 0; i < 10; i++) await produce(topic, `v${i}`);
  const codes = await Promise.all(cluster.brokers.map(broker => broker.stop()));
  expect(codes).toEqual([0, 0, 0]);
  await Promise.all(cluster.brokers.map(broker => broker.start()));
  expect((await allInSync(topic)).topicId).toBe(before.topicId);
  expect(await values(topic)).toEqual(Array.from({ length: 10 }, (_, i) => `v${i}`));
  const [config] = await admin.describeConfigs([{ type: 'topic', name: topic }]);
  expect(config!.find(({ name }) => name === 'retention.ms')!.value).toBe('123456789');
  expect(await produce(topic, 'goes on')).toBe(10);
});

describe('a second broker is refused', () => {
  interface Clash {
    readonly what: string;
    readonly id: number;
    /** The first broker's port or directory instead of its own. */
    readonly shares: 'port' | 'directory' | 'nothing';
    readonly says: (port: number) => string;
  }
  const CLASHES: readonly Clash[] = [
    { what: 'with an id that is taken', id: 0, shares: 'nothing', says: () => 'broker id 0 is registered' },
    { what: 'on a port that is taken', id: 8, shares: 'port', says: port => `127.0.0.1:${port}: ` },
    { what: 'in a directory that is taken', id: 9, shares: 'directory', says: () => 'in use by another broker' },
  ];

  test.each(CLASHES)('$what', async ({ id, shares, says }) => {
    const [first] = cluster.brokers as [BrokerProcess];
    const port = shares === 'port' ? first.port : (await freePorts(1))[0]!;
    const directory = join(cluster.directory, `second-${id}`);
    mkdirSync(directory);
    const second = new BrokerProcess({
      id,
      port,
      zookeeper: cluster.zookeeperConnect,
      directory,
      properties: shares === 'directory' ? { 'log.dirs': first.dataDirectory } : {},
    });
    second.spawn();
    expect(await second.exited()).toBe(1);
    const fatal = second.output
      .split('\n')
      .filter(line => line.startsWith('{'))
      .map(line => JSON.parse(line) as { msg: string; err?: { message: string } })
      .find(({ msg }) => msg.includes('the start failed'));
    expect(fatal!.err!.message).toContain(says(port));
    // The first one does not mind.
    expect(await znodes.exists('/brokers/ids/0')).toBe(true);
    expect(first.running).toBe(true);
  });
});

describe('topics', () => {
  test('one that a ZooKeeper-side tool wrote comes up', async () => {
    const topic = 'by-znode';
    const json = JSON.stringify({ version: 1, partitions: { 0: [2, 1], 1: [1, 0] } });
    const { code, stderr } = await tool('zookeeper-shell', [
      cluster.zookeeperConnect,
      'create',
      `/brokers/topics/${topic}`,
      json,
    ]);
    expect(code, stderr).toBe(0);
    expect((await allInSync(topic)).partitions.map(({ leader }) => leader)).toEqual([2, 1]);
    expect(await produce(topic, 'works')).toBe(0);
  });

  test('one that is deleted is gone with its records, and its name is free again', async () => {
    const topic = 'deleted';
    await admin.createTopics([{ name: topic, assignment: [[0, 1, 2]], configs: { 'retention.ms': '1000000' } }]);
    const { topicId } = await allInSync(topic);
    await produce(topic, 'of the first');
    await admin.deleteTopics([topic]);
    for (const path of [`/brokers/topics/${topic}`, `/config/topics/${topic}`, `/admin/delete_topics/${topic}`]) {
      await waitFor(`${path} to be gone`, async () => !(await znodes.exists(path)));
    }
    await waitFor('the files to be gone', () =>
      cluster.brokers.every(broker => !existsSync(join(broker.dataDirectory, `${topic}-0`))),
    );
    await expect(admin.describeTopic(topic)).rejects.toMatchObject({ codeName: 'UNKNOWN_TOPIC_OR_PARTITION' });
    await admin.createTopics([{ name: topic, assignment: [[0, 1, 2]] }]);
    expect((await allInSync(topic)).topicId).not.toBe(topicId);
    expect(await produce(topic, 'of the second')).toBe(0);
    expect(await values(topic)).toEqual(['of the second']);
  });

  test('one whose in-sync replicas are gone waits, unless an unclean leader is allowed', async () => {
    const topic = 'unclean';
    const [, stale, last] = cluster.brokers as [BrokerProcess, BrokerProcess, BrokerProcess];
    await admin.createTopics([{ name: topic, assignment: [[last.id, stale.id]] }]);
    await allInSync(topic);
    expect(await produce(topic, 'on both')).toBe(0);
    await stale.kill();
    await waitFor('the ISR to shrink', async () => (await partition(topic)).isr.join() === `${last.id}`);
    expect(await produce(topic, 'on one')).toBe(1);
    await last.kill();
    await stale.start();
    await waitFor('the partition to be offline', async () => (await partition(topic)).leader === -1);
    const failure = await produce(topic, 'nowhere', 'all', 2_000).catch((error: unknown) => error as KafkaError);
    expect(failure).toBeInstanceOf(Error);

    await admin.alterConfigs({ type: 'topic', name: topic }, [
      { name: 'unclean.leader.election.enable', operation: 'set', value: 'true' },
    ]);
    await waitFor('the stale replica to lead', async () => (await partition(topic)).leader === stale.id);
    expect(await produce(topic, 'in its place')).toBe(1);
    await last.start();
    expect((await allInSync(topic)).partitions[0]!.leader).toBe(stale.id);
    expect(await values(topic)).toEqual(['on both', 'in its place']);
  });

  test('one is led by its preferred replica again when that is asked for', async () => {
    const topic = 'preferred';
    const [, preferred] = cluster.brokers as [BrokerProcess, BrokerProcess];
    await admin.createTopics([{ name: topic, assignment: [[preferred.id, 0, 2]] }]);
    expect((await allInSync(topic)).partitions[0]!.leader).toBe(preferred.id);
    await preferred.stop();
    await preferred.start();
    expect((await allInSync(topic)).partitions[0]!.leader).not.toBe(preferred.id);
    expect(await admin.electLeaders('preferred', [{ topic, partition: 0 }])).toEqual([
      { topic, partition: 0, error: null },
    ]);
    await waitFor('the preferred replica to lead', async () => (await partition(topic)).leader === preferred.id);
    const [again] = await admin.electLeaders('preferred', [{ topic, partition: 0 }]);
    expect((again!.error as KafkaError | null)?.codeName).toBe('ELECTION_NOT_NEEDED');
  });
});

describe('brokers without ids, under a chroot, that rebalance and do not delete topics', () => {
  const CHROOT = '/somewhere/else';
  let brokers: BrokerProcess[] = [];
  let other: Admin;
  let tree: Znodes;

  beforeAll(async () => {
    const ports = await freePorts(2);
    brokers = ports.map((port, index) => {
      const directory = join(cluster.directory, `generated-${index}`);
      mkdirSync(directory);
      return new BrokerProcess({
        id: 1001 + index,
        port,
        zookeeper: `${cluster.zookeeperConnect}${CHROOT}`,
        directory,
        properties: {
          'broker.id': '-1',
          'delete.topic.enable': 'false',
          'leader.imbalance.check.interval.seconds': '1',
        },
      });
    });
    for (const broker of brokers) await broker.start();
    tree = await Znodes.open(`${cluster.zookeeperConnect}${CHROOT}`);
    other = createAdmin({ 'bootstrap.servers': brokers.map(broker => broker.address).join() });
  });

  afterAll(async () => {
    other?.close();
    await tree?.close();
    await Promise.all(brokers.map(broker => broker.kill()));
  });

  test('ids are generated from 1001 on, and kept', async () => {
    const [first] = brokers as [BrokerProcess];
    expect(readFileSync(join(first.dataDirectory, 'meta.properties'), 'utf8')).toContain('broker.id=1001\n');
    expect(await first.stop()).toBe(0);
    await first.start();
    expect(await tree.exists('/brokers/ids/1001')).toBe(true);
    expect(await tree.exists('/brokers/ids/1002')).toBe(true);
    expect(await tree.exists('/brokers/ids/1003')).toBe(false);
  });

  test('the clusters of one ZooKeeper do not see each other', async () => {
    expect(await znodes.exists(`${CHROOT}/brokers/ids/1001`)).toBe(true);
    expect(await znodes.exists('/brokers/ids/1001')).toBe(false);
    const clusterIds = new Set<string>();
    for (const [asked, ids] of [
      [other, '1001,1002'],
      [admin, '0,1,2'],
    ] as const) {
      await waitFor(`a cluster of the brokers ${ids}`, async () => {
        const { brokers: found, clusterId } = await asked.describeCluster();
        clusterIds.add(clusterId);
        return (
          found
            .map(({ id }) => id)
            .sort((a, b) => a - b)
            .join() === ids
        );
      });
    }
    expect(clusterIds.size).toBe(2);
  });

  test('the preferred replica gets its leadership back by itself', async () => {
    const [first, second] = brokers as [BrokerProcess, BrokerProcess];
    await other.createTopics([{ name: 'balanced', assignment: [[1002, 1001]] }]);
    const leader = async () => (await other.describeTopic('balanced')).partitions[0]!.leader;
    await waitFor('both to be in sync', async () => {
      return (await other.describeTopic('balanced')).partitions[0]!.isr.length === 2;
    });
    expect(await second.stop()).toBe(0);
    await waitFor('the other replica to lead', async () => (await leader()) === first.id);
    await second.start();
    await waitFor('the preferred replica to lead', async () => (await leader()) === second.id);
  });

  test('a topic is not deleted where that is not allowed', async () => {
    await other.createTopics([{ name: 'kept', assignment: [[1001]] }]);
    await expect(other.deleteTopics(['kept'])).rejects.toMatchObject({ codeName: 'TOPIC_DELETION_DISABLED' });
    // Nor does a mark that somebody puts into ZooKeeper have an effect, other than to be taken away.
    await tree.zk.create('/admin/delete_topics/kept', null, 'persistent');
    await waitFor('the mark to be taken away', async () => !(await tree.exists('/admin/delete_topics/kept')));
    await waitFor('the topic to be led', async () => {
      return (await other.describeTopic('kept')).partitions[0]!.leader === 1001;
    });
    expect(await tree.exists('/brokers/topics/kept')).toBe(true);
  });
});
