import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../client/index.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { startCluster } from '../support/cluster.ts';
import { freePorts } from '../support/free-ports.ts';
import { readTopic, SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { fourLetterWord, ZooKeeperEnsemble, type ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { Znodes } from '../support/znodes.ts';

const TOPIC = 'served';
const PARTITIONS = 3;
/** Several sessions long. */
const OUTAGE_MS = 15_000;

async function allInSync(admin: Admin, topic: string): Promise<void> {
  await waitFor(`${topic} to be complete`, async () => {
    const { partitions } = await admin.describeTopic(topic);
    return partitions.every(partition => partition.leader >= 0 && partition.isr.length === 3);
  });
}

test('while ZooKeeper is down brokers serve what they lead, and afterwards they recover', async () => {
  const cluster = await startCluster({ properties: { 'min.insync.replicas': '2', 'replica.lag.time.max.ms': '3000' } });
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  const { bootstrap } = cluster;
  try {
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }]);
    const writer = new SteadyWriter({ bootstrap, topic: TOPIC, partitions: PARTITIONS, everyMs: 20 });
    await writer.progress();
    await cluster.zookeeper.crash();
    const down = performance.now();
    // What needs ZooKeeper says so in time, instead of hanging.
    const impatient = createAdmin({
      'bootstrap.servers': bootstrap,
      'request.timeout.ms': 6_000,
      'default.api.timeout.ms': 6_000,
    });
    const refusal = impatient.createTopics([{ name: 'too-early', partitions: 1 }]).catch((error: unknown) => error);
    while (performance.now() - down < OUTAGE_MS) {
      const acknowledged = writer.acknowledged.size;
      await writer.progress();
      // Readers are served as well, with what has just been written.
      expect((await readTopic(bootstrap, TOPIC, PARTITIONS)).size).toBeGreaterThanOrEqual(acknowledged);
    }
    expect(await refusal).toBeInstanceOf(Error);
    impatient.close();

    await cluster.zookeeper.start();
    await waitFor('topics to be created again', () =>
      admin.createTopics([{ name: 'afterwards', partitions: PARTITIONS, replicationFactor: 3 }]).then(
        () => true,
        () => false,
      ),
    );
    await allInSync(admin, 'afterwards');
    await allInSync(admin, TOPIC);
    await writer.progress();
    await writer.stop();
    expect(writer.failed).toEqual([]);
    expect(await writer.lost()).toEqual([]);
    expect(cluster.brokers.every(broker => broker.running)).toBe(true);
  } finally {
    admin.close();
    await cluster.stop();
  }
});

test('nobody notices when one of three ZooKeeper servers is killed', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'samsa-'));
  const ensemble = await ZooKeeperEnsemble.start();
  const connectString = ensemble.servers.map(server => server.connectString).join();
  const ports = await freePorts(3);
  const brokers = ports.map((port, id) => {
    const own = join(directory, `broker-${id}`);
    mkdirSync(own);
    const properties = { 'zookeeper.session.timeout.ms': '6000' };
    return new BrokerProcess({ id, port, zookeeper: `${connectString}/samsa`, directory: own, properties });
  });
  const bootstrap = brokers.map(broker => broker.address).join();
  const admin = createAdmin({ 'bootstrap.servers': bootstrap });
  let znodes: Znodes | null = null;
  try {
    await Promise.all(brokers.map(broker => broker.start()));
    znodes = await Znodes.open(`${connectString}/samsa`);
    const registrations = () => Promise.all(brokers.map(broker => znodes!.brokerEpoch(broker.id)));
    const before = await registrations();
    const controller = await znodes.controllerId();
    await admin.createTopics([{ name: TOPIC, partitions: PARTITIONS, replicationFactor: 3 }]);
    const writer = new SteadyWriter({ bootstrap, topic: TOPIC, partitions: PARTITIONS });
    await writer.progress();

    // The worst one to lose: the others have to elect a leader first.
    await (await leaderOf(ensemble.servers)).crash();
    await admin.createTopics([{ name: 'with-two-servers', partitions: PARTITIONS, replicationFactor: 3 }]);
    await allInSync(admin, 'with-two-servers');
    await writer.progress();
    await writer.stop();

    expect(await registrations()).toEqual(before);
    expect(await znodes.controllerId()).toBe(controller);
    expect(writer.failed).toEqual([]);
    expect(await writer.lost()).toEqual([]);
    for (const broker of brokers) expect(broker.output).not.toContain('session expired');
  } finally {
    admin.close();
    await znodes?.close();
    await Promise.all(brokers.map(broker => broker.kill()));
    await ensemble.kill();
    rmSync(directory, { recursive: true, force: true });
  }
});

async function leaderOf(servers: readonly ZooKeeperProcess[]): Promise<ZooKeeperProcess> {
  for (const server of servers) {
    if ((await fourLetterWord(server.port, 'srvr', 2_000)).includes('Mode: leader')) return server;
  }
  throw new Error('the ensemble has no leader');
}
