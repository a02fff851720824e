import type { Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Metadata } from '../../shared/protocol/messages/metadata.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { BrokerProcess } from '../../test/support/broker-process.ts';
import type { Cluster } from '../../test/support/cluster.ts';
import { batchOfSize } from '../harness/batches.ts';
import { connectTo, PRODUCE_VERSION } from '../harness/dialect.ts';
import { sleep } from '../harness/load.ts';
import type { Scenario } from '../harness/scenario.ts';
import { median } from '../harness/statistics.ts';
import { addressOf, createAssignedTopic, withCluster } from '../harness/test-cluster.ts';

const ROUNDS = 3;
const COUNTS = [10, 1_000];
const SESSION_TIMEOUT_MS = 2_000;
const RETRY_MS = 20;
const METADATA_VERSION = 8;
const TOPIC = 'victims';
const RECORD = batchOfSize(200, 64);

/**
 * kill -9 of the broker that leads every partition: how long until each of them has acknowledged a produce with
 * acks=all, at whichever broker leads it then. ZooKeeper needs the session timeout to notice, which is taken off.
 */
export const failover: Scenario = {
  name: 'fail-over',
  what: 'kill -9 of a leader until every partition it led has acknowledged a produce, less the session timeout',
  async run(_, report) {
    for (const count of COUNTS) {
      const times: number[] = [];
      for (let round = 0; round < ROUNDS; round++) times.push(await measure(count));
      report({
        name: `fail-over of ${count} partitions, after the session timeout`,
        value: Math.max(0, median(times) - SESSION_TIMEOUT_MS) / 1000,
        unit: 's',
        target: { limit: 2, is: 'max', of: 'value' },
      });
    }
  },
};

/** Milliseconds from the kill to the last acknowledgement. */
function measure(count: number): Promise<number> {
  const properties = {
    'zookeeper.session.timeout.ms': String(SESSION_TIMEOUT_MS),
    'auto.leader.rebalance.enable': 'false',
  };
  return withCluster(
    3,
    async cluster => {
      const victim = await notController(cluster);
      const others = cluster.brokers.filter(broker => broker !== victim);
      const replicas = [victim.id, ...others.map(broker => broker.id)];
      await createAssignedTopic(
        cluster,
        TOPIC,
        Array.from({ length: count }, () => replicas),
      );
      const connections = new Map<number, Connection>();
      for (const broker of others) connections.set(broker.id, await connectTo('kafka', addressOf(broker)));
      const begin = performance.now();
      await victim.kill();
      await untilAllAcknowledge(connections, count);
      return performance.now() - begin;
    },
    properties,
  );
}

/** Losing the controller as well is a measurement of its own. */
async function notController(cluster: Cluster): Promise<BrokerProcess> {
  const connection = await connectTo('kafka', addressOf(cluster.brokers[0]!));
  const answer = await connection.call(
    Metadata,
    { topics: [], allowAutoTopicCreation: false },
    { version: METADATA_VERSION },
  );
  connection.close();
  return cluster.brokers.find(broker => broker.id !== answer!.controllerId)!;
}

async function untilAllAcknowledge(connections: ReadonlyMap<number, Connection>, count: number): Promise<void> {
  const missing = new Set(Array.from({ length: count }, (_, partition) => partition));
  const any = [...connections.values()][0]!;
  while (missing.size > 0) {
    const leaders = await leadersOf(any);
    for (const [id, connection] of connections) {
      const led = [...missing].filter(partition => leaders.get(partition) === id);
      for (const partition of await acknowledged(connection, led)) missing.delete(partition);
    }
    if (missing.size > 0) await sleep(RETRY_MS);
  }
}

async function leadersOf(connection: Connection): Promise<Map<number, number>> {
  const request = { topics: [{ name: TOPIC }], allowAutoTopicCreation: false };
  const answer = await connection.call(Metadata, request, { version: METADATA_VERSION });
  return new Map(answer!.topics[0]!.partitions.map(({ partitionIndex, leaderId }) => [partitionIndex, leaderId]));
}

/** Produces a record to each partition; those that acknowledged it. */
async function acknowledged(connection: Connection, partitions: readonly number[]): Promise<number[]> {
  if (partitions.length === 0) return [];
  const partitionData = partitions.map(index => ({ index, records: RECORD.bytes }));
  const request = { acks: -1, timeoutMs: 5_000, topicData: [{ name: TOPIC, partitionData }] };
  const answer = await connection.call(Produce, request, { version: PRODUCE_VERSION });
  return answer!.responses[0]!.partitionResponses.filter(({ errorCode }) => errorCode === ErrorCode.NONE).map(
    ({ index }) => index,
  );
}
