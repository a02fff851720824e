import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { createAdmin, type Admin } from '../../client/index.ts';
import { KafkaConnector } from '../../shared/connection/kafka.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import { systemTimers } from '../../shared/runtime/clock.ts';
import { BrokerProcess } from '../support/broker-process.ts';
import { freePorts } from '../support/free-ports.ts';
import { readTopic, SteadyWriter } from '../support/steady-writer.ts';
import { waitFor } from '../support/wait.ts';
import { ZooKeeperProcess } from '../support/zookeeper-process.ts';
import { ZooKeeperProxy } from '../support/zookeeper-proxy.ts';
import { Znodes } from '../support/znodes.ts';

/**
 * A leader is cut off from ZooKeeper until its session has expired, while it goes on running and clients and other
 * brokers still reach it.
 */

const TOPIC = 'contested';
const PARTITIONS = 3;

let directory = '';
let zookeeper: ZooKeeperProcess;
let proxy: ZooKeeperProxy;
let brokers: BrokerProcess[] = [];
let znodes: Znodes;
let admin: Admin;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-'));
  zookeeper = await ZooKeeperProcess.start({ directory: join(directory, 'zookeeper') });
  proxy = await ZooKeeperProxy.start(zookeeper.port);
  const ports = await freePorts(3);
  brokers = ports.map((port, id) => {
    const own = join(directory, `broker-${id}`);
    mkdirSync(own);
    return new BrokerProcess({
      id,
      port,
      // Only the first one's link can be cut.
      zookeeper: id === 0 ? proxy.connectString : zookeeper.connectString,
      directory: own,
      properties: {
        'min.insync.replicas': '2',
        'replica.lag.time.max.ms': '1500',
        'auto.leader.rebalance.enable': 'false',
      },
    });
  });
  await Promise.all(brokers.map(broker => broker.start()));
  znodes = await Znodes.open(zookeeper.connectString);
  const bootstrap = brokers.map(broker => broker.address).join();
  admin = createAdmin({ 'bootstrap.servers': bootstrap, 'request.timeout.ms': 10_000 });
});

afterAll(async () => {
  admin?.close();
  await znodes?.close();
  await Promise.all(brokers.map(broker => broker.kill()));
  await proxy?.close();
  await zookeeper?.kill();
  rmSync(directory, { recursive: true, force: true });
});

async function state(partition: number): Promise<{ leader: number; leader_epoch: number; isr: number[] }> {
  const node = await znodes.json(`/brokers/topics/${TOPIC}/partitions/${partition}/state`);
  return node as { leader: number; leader_epoch: number; isr: number[] };
}

/** Sends a record to this very broker, whoever leads. @returns the error code */
async function produceAt(broker: BrokerProcess, partition: number, value: string, acks: number): Promise<number> {
  const connector = new KafkaConnector({
    clientId: 'stubborn',
    requestTimeoutMs: 10_000,
    connectTimeoutMs: 5_000,
    negotiate: true,
    timers: systemTimers,
  });
  const builder = new BatchBuilder();
  builder.append(1_700_000_000_000, null, Buffer.from(value), undefined);
  const records = builder.build({ codec: 0, level: undefined });
  const connection = await connector.connect({ host: '127.0.0.1', port: broker.port });
  try {
    const topicData = [{ name: TOPIC, partitionData: [{ index: partition, records }] }];
    const answer = await connection.call(Produce, { transactionalId: null, acks, timeoutMs: 1_500, topicData });
    return answer!.responses[0]!.partitionResponses[0]!.errorCode;
  } finally {
    connection.close();
  }
}

function logDigest(broker: BrokerProcess, partition: number): string {
  const log = join(broker.dataDirectory, `${TOPIC}-${partition}`);
  const segments = readdirSync(log).filter(name => name.endsWith('.log'));
  return createHash('sha256')
    .update(Buffer.concat(segments.sort().map(name => readFileSync(join(log, name)))))
    .digest('hex');
}

/** Who leads the partition, as this broker has heard. The controller tells it after the role itself. */
async function leaderAt(broker: BrokerProcess, partition: number): Promise<number> {
  const answer = await fetch(`http://${broker.address}/v1/rpc/Metadata?version=9`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ topics: [{ name: TOPIC }], allowAutoTopicCreation: false }),
  });
  const { topics } = (await answer.json()) as {
    topics: { partitions: { partitionIndex: number; leaderId: number }[] }[];
  };
  return topics[0]!.partitions.find(({ partitionIndex }) => partitionIndex === partition)!.leaderId;
}

test('a running leader whose session expires is fenced and comes back by itself', async () => {
  const [victim, ...others] = brokers as [BrokerProcess, BrokerProcess, BrokerProcess];
  await admin.createTopics([
    {
      name: TOPIC,
      assignment: [
        [0, 1, 2],
        [0, 2, 1],
        [1, 0, 2],
      ],
    },
  ]);
  const bootstrap = brokers.map(broker => broker.address).join();
  const writer = new SteadyWriter({ bootstrap, topic: TOPIC, partitions: PARTITIONS });
  await writer.progress();
  const { pid } = victim;
  const epoch = await znodes.brokerEpoch(victim.id);
  const before = await state(0);
  expect(before.leader).toBe(victim.id);

  proxy.cut();
  await waitFor('the session to expire', async () => (await znodes.brokerEpoch(victim.id)) === null);
  await waitFor('another leader', async () => (await state(0)).leader !== victim.id);
  expect((await state(0)).leader_epoch).toBeGreaterThan(before.leader_epoch);
  // What its followers still fetched would be theirs too, and rightly acknowledged: they have to have heard first.
  for (const other of others) {
    await waitFor(`broker ${other.id} to know the new leader`, async () => (await leaderAt(other, 0)) !== victim.id);
  }
  // It runs, and believes that it leads; but nobody follows it any more, so that it cannot acknowledge.
  expect(victim.pid).toBe(pid);
  expect(await produceAt(victim, 0, 'never acknowledged', -1)).not.toBe(ErrorCode.NONE);
  await writer.progress();

  proxy.restore();
  await waitFor('a new registration', async () => (await znodes.brokerEpoch(victim.id)) !== null);
  expect(await znodes.brokerEpoch(victim.id)).toBeGreaterThan(epoch!);
  expect(victim.pid).toBe(pid);
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await waitFor(`partition ${partition} to be complete`, async () => (await state(partition)).isr.length === 3);
  }
  await writer.progress();
  await writer.stop();

  expect(writer.failed).toEqual([]);
  expect(await writer.lost()).toEqual([]);
  const read = await readTopic(bootstrap, TOPIC, PARTITIONS);
  expect([...read.values()]).not.toContain('never acknowledged');
  for (let partition = 0; partition < PARTITIONS; partition++) {
    await waitFor(`the logs of partition ${partition} to be equal`, () => {
      return others.every(other => logDigest(other, partition) === logDigest(victim, partition));
    });
  }
  expect(await produceAt(victim, 0, 'not led here', -1)).toBe(ErrorCode.NOT_LEADER_OR_FOLLOWER);
});

test('the controller whose session expires hands over, and nothing stops', async () => {
  const [victim, ...others] = brokers as [BrokerProcess, ...BrokerProcess[]];
  const bootstrap = brokers.map(broker => broker.address).join();
  // Only its link can be cut.
  await znodes.makeController(victim, others);
  const writer = new SteadyWriter({ bootstrap, topic: TOPIC, partitions: PARTITIONS });
  await writer.progress();
  const epoch = await znodes.brokerEpoch(victim.id);

  proxy.cut();
  const successor = await znodes.anotherController(victim.id);
  expect(successor).not.toBe(victim.id);
  proxy.restore();
  await waitFor('a new registration', async () => {
    const now = await znodes.brokerEpoch(victim.id);
    return now !== null && now > epoch!;
  });
  // Only one broker does the controller's work: a topic that it is asked for comes, complete, and once.
  await waitFor('the broker to be taken notice of', () =>
    admin.createTopics([{ name: 'after', assignment: [[0, 1, 2]] }]).then(() => true),
  );
  await waitFor('the new topic to be complete', async () => {
    const { partitions } = await admin.describeTopic('after');
    return partitions.every(partition => partition.leader === 0 && partition.isr.length === 3);
  });
  await writer.progress();
  await writer.stop();
  expect(writer.failed).toEqual([]);
  expect(await writer.lost()).toEqual([]);
});
