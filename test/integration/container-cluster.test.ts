import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { createAdmin, createProducer } from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { waitFor } from '../support/wait.ts';
import { containerProblem, ZooKeeperContainer } from '../support/zookeeper-container.ts';

const problem = await containerProblem();
console.log(problem === null ? 'ZooKeeper runs in a container here' : `no ZooKeeper in a container here: ${problem}`);

describe.skipIf(problem !== null)('a cluster whose ZooKeeper runs in a container', () => {
  test('serves, and outlives a crash of its ZooKeeper', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'samsa-container-'));
    const zookeeper = await ZooKeeperContainer.start();
    const ports = await freePorts(2);
    const brokers = ports.map((port, id) => {
      const own = join(directory, `broker-${id}`);
      mkdirSync(own);
      // A chroot, as clusters that share a ZooKeeper have it.
      return new BrokerProcess({ id, port, zookeeper: `${zookeeper.connectString}/shared`, directory: own });
    });
    const settings = { 'bootstrap.servers': brokers.map(broker => broker.address).join(',') };
    const admin = createAdmin(settings);
    const producer = createProducer({ ...settings, acks: 'all' });
    try {
      await Promise.all(brokers.map(broker => broker.start()));
      await waitFor('both brokers to be known', async () => (await admin.describeCluster()).brokers.length === 2);
      await admin.createTopics([{ name: 'first', partitions: 2, replicationFactor: 2 }]);
      await producer.send({ topic: 'first', value: 'before' });
      await zookeeper.crash();
      // What is led goes on being served without ZooKeeper.
      expect((await producer.send({ topic: 'first', value: 'meanwhile' })).offset).toBeGreaterThanOrEqual(0);
      await zookeeper.start();
      await waitFor('topics to be made again', () =>
        admin.createTopics([{ name: 'second', partitions: 1 }]).then(() => true),
      );
      await producer.send({ topic: 'second', value: 'after' });
    } finally {
      admin.close();
      await producer.close(1_000);
      await Promise.all(brokers.map(broker => broker.kill()));
      await zookeeper.kill();
      rmSync(directory, { recursive: true, force: true });
    }
  });
});
