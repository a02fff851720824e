import { createAdmin, type NewTopic } from '../../client/index.ts';
import type { Address } from '../../shared/connection/connection.ts';
import { startCluster, type Cluster } from '../../test/support/cluster.ts';
import type { BrokerProcess } from '../../test/support/broker-process.ts';
import { waitFor } from '../../test/support/wait.ts';

/** Deleted topics leave the disk soon, so that one measurement's dirty pages do not slow the next one down. */
const PROPERTIES = { 'log.segment.delete.delay.ms': '100', 'auto.create.topics.enable': 'false' };

/** Runs `use` with a cluster of `brokers` processes over a real ZooKeeper, and removes it whatever happens. */
export async function withCluster<T>(
  brokers: number,
  use: (cluster: Cluster) => Promise<T>,
  properties: Readonly<Record<string, string>> = {},
): Promise<T> {
  const cluster = await startCluster({ brokers, properties: { ...PROPERTIES, ...properties } });
  try {
    return await use(cluster);
  } finally {
    await cluster.stop();
  }
}

/** Creates a topic and waits until all its replicas are in sync. */
export function createTopic(
  cluster: Cluster,
  name: string,
  partitions: number,
  replicationFactor: number,
  configs: Readonly<Record<string, string>> = {},
): Promise<void> {
  return create(cluster, { name, partitions, replicationFactor, configs }, partitions, replicationFactor);
}

/** The same with the replicas of each partition given, the leader first. */
export function createAssignedTopic(
  cluster: Cluster,
  name: string,
  assignment: readonly (readonly number[])[],
): Promise<void> {
  return create(cluster, { name, assignment }, assignment.length, assignment[0]!.length);
}

function create(cluster: Cluster, topic: NewTopic, partitions: number, replicationFactor: number): Promise<void> {
  return withAdmin(cluster, async admin => {
    await admin.createTopics([topic]);
    await waitFor(`topic ${topic.name} to be complete`, async () => {
      const created = await admin.describeTopic(topic.name);
      const isReady = created.partitions.every(({ isr, leader }) => leader >= 0 && isr.length === replicationFactor);
      return isReady && created.partitions.length === partitions;
    });
  });
}

/** The leader of a topic's only partition. */
export async function leaderOf(cluster: Cluster, topic: string): Promise<BrokerProcess> {
  // The broker that is asked may not have heard of a new topic yet.
  const id = await waitFor(`${topic} to be known`, async () => {
    const { partitions } = await withAdmin(cluster, admin => admin.describeTopic(topic));
    return String(partitions[0]!.leader);
  });
  return cluster.brokers[Number(id)]!;
}

export function deleteTopic(cluster: Cluster, name: string): Promise<void> {
  return withAdmin(cluster, admin => admin.deleteTopics([name]));
}

async function withAdmin<T>(cluster: Cluster, use: (admin: ReturnType<typeof createAdmin>) => Promise<T>): Promise<T> {
  const admin = createAdmin({ 'bootstrap.servers': cluster.bootstrap });
  try {
    return await use(admin);
  } finally {
    admin.close();
  }
}

export function addressOf(broker: BrokerProcess): Address {
  return { host: '127.0.0.1', port: broker.port };
}
