import { createAdmin, createProducer, type Admin, type GroupOffset } from '../../../client/index.ts';
import { coordinatorPartition } from '../../../shared/topics/coordinator-partition.ts';
import type { BrokerProcess } from '../../support/broker-process.ts';
import { startCluster, type Cluster } from '../../support/cluster.ts';
import { waitFor } from '../../support/wait.ts';
import type { ClientRow } from './clients.ts';
import { ForeignClient, type DriverRecord } from './foreign-client.ts';
import { storedBatches, type StoredBatch } from './stored-batches.ts';

export const BROKERS = 3;

/** A client that is to show whether it gets along with a feature. */
export interface Examination {
  readonly stage: Stage;
  readonly row: ClientRow;
  readonly client: ForeignClient;
}

/** A running cluster, and what features need to set up and to look into it without the client that is examined. */
export class Stage {
  readonly cluster: Cluster;
  readonly admin: Admin;
  #topics = 0;

  private constructor(cluster: Cluster) {
    this.cluster = cluster;
    this.admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  }

  static async open(): Promise<Stage> {
    const properties = {
      'default.replication.factor': String(BROKERS),
      'min.insync.replicas': '2',
      'offsets.topic.replication.factor': String(BROKERS),
      'offsets.topic.num.partitions': '5',
      'transaction.state.log.replication.factor': String(BROKERS),
      'transaction.state.log.num.partitions': '5',
      // Some clients give a transaction up when its coordinator moves: that is to happen only where an examination is about it.
      'auto.leader.rebalance.enable': 'false',
    };
    return new Stage(await startCluster({ brokers: BROKERS, properties }));
  }

  async close(): Promise<void> {
    this.admin.close();
    await this.cluster.stop();
  }

  /** A client in a process of its own, connected. */
  async connect(row: ClientRow): Promise<{ readonly client: ForeignClient; readonly version: string }> {
    const [program, ...args] = row.driver;
    const client = new ForeignClient(program, args);
    try {
      return { client, ...(await client.ask('hello', { bootstrap: this.cluster.bootstrap })) };
    } catch (error) {
      client.close();
      throw error;
    }
  }

  /** A name that no topic has had. */
  topicName(what: string): string {
    return `${what}-${++this.#topics}`;
  }

  async topic(what: string, { partitions = 1, replicationFactor = BROKERS } = {}): Promise<string> {
    const name = this.topicName(what);
    await this.admin.createTopics([{ name, partitions, replicationFactor }]);
    return name;
  }

  /** Waits until every partition is led and all brokers are in sync. @returns the leaders */
  leaders(topic: string): Promise<number[]> {
    return waitFor(`all replicas of ${topic} to be in sync`, async () => {
      const { partitions } = await this.admin.describeTopic(topic);
      return partitions.every(({ leader, isr, replicas }) => leader >= 0 && isr.length === replicas.length)
        ? partitions.map(({ leader }) => leader)
        : null;
    });
  }

  /** The broker that coordinates what has this id, by the internal topic that it is written to. */
  async coordinator(internalTopic: '__consumer_offsets' | '__transaction_state', id: string): Promise<BrokerProcess> {
    const leaders = await this.leaders(internalTopic);
    return this.cluster.brokers[leaders[coordinatorPartition(id, leaders.length)]!]!;
  }

  /** Where a group stands. */
  async committed(group: string): Promise<readonly GroupOffset[]> {
    const [found] = await this.admin.listGroupOffsets([{ groupId: group, partitions: null }]);
    if (found!.status === 'rejected') throw found!.reason;
    return found!.value;
  }

  /** What the leader has on its disk of a partition, once it holds `count` records. */
  async stored(topic: string, partition: number, count: number): Promise<StoredBatch[]> {
    const leader = (await this.admin.describeTopic(topic)).partitions[partition]!.leader;
    return waitFor(`${count} records in ${topic}-${partition}`, () => {
      const batches = storedBatches(this.cluster, leader, topic, partition);
      return batches.reduce((sum, { records }) => sum + records.length, 0) >= count ? batches : null;
    });
  }

  /** Writes with the SDK, as one batch. */
  async write(topic: string, records: readonly DriverRecord[], codec = 'none'): Promise<void> {
    const producer = createProducer({
      'bootstrap.servers': this.cluster.bootstrap,
      'compression.type': codec,
      'linger.ms': 20,
    });
    try {
      await Promise.all(
        records.map(({ key, value, partition, headers, timestamp }) =>
          producer.send({
            topic,
            key: key === null ? null : Buffer.from(key),
            value: Buffer.from(value),
            headers: headers.map(([name, content]) => ({ key: name, value: Buffer.from(content) })),
            ...(partition === null ? {} : { partition }),
            ...(timestamp === null ? {} : { timestamp }),
          }),
        ),
      );
    } finally {
      await producer.close();
    }
  }
}
