import type { Admin, ConfigChange, PartitionReassignment } from '../../client/index.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { counted, type AssignedPartition } from '../format/reassignment.ts';
import { print } from './print.ts';

const LEADER_RATE = 'leader.replication.throttled.rate';
const FOLLOWER_RATE = 'follower.replication.throttled.rate';
const LOG_DIR_RATE = 'replica.alter.log.dirs.io.max.bytes.per.second';
const LEADER_REPLICAS = 'leader.replication.throttled.replicas';
const FOLLOWER_REPLICAS = 'follower.replication.throttled.replicas';

/** A partition's way: brokers that it is copied from, and those that it is copied to. */
export interface PartitionMove extends TopicPartition {
  readonly sources: readonly number[];
  readonly destinations: readonly number[];
}

/** All moves there will be: those under way, and those that are ordered now (which replace them). */
export function movesOf(
  ongoing: readonly PartitionReassignment[],
  wanted: readonly AssignedPartition[],
  current: ReadonlyMap<string, readonly number[]>,
): PartitionMove[] {
  const moves = new Map<string, PartitionMove>();
  for (const { topic, partition, replicas, addingReplicas } of ongoing) {
    const sources = replicas.filter(replica => !addingReplicas.includes(replica));
    moves.set(partitionKey(topic, partition), { topic, partition, sources, destinations: addingReplicas });
  }
  for (const { topic, partition, replicas } of wanted) {
    const key = partitionKey(topic, partition);
    const sources = moves.get(key)?.sources ?? current.get(key) ?? [];
    const destinations = replicas.filter(replica => !sources.includes(replica));
    moves.set(key, { topic, partition, sources, destinations });
  }
  return [...moves.values()];
}

/** The settings of a topic that name what is throttled: leaders where it is copied from, followers where it goes. */
export function topicThrottles(moves: readonly PartitionMove[]): ConfigChange[] {
  const replicas = (brokers: (move: PartitionMove) => readonly number[]) =>
    moves.flatMap(move => brokers(move).map(broker => `${move.partition}:${broker}`)).sort();
  return [
    { name: LEADER_REPLICAS, operation: 'set', value: replicas(move => move.sources).join() },
    { name: FOLLOWER_REPLICAS, operation: 'set', value: replicas(move => move.destinations).join() },
  ];
}

/** Limits the copying between brokers. @param rate bytes a second */
export async function throttleMoves(admin: Admin, moves: readonly PartitionMove[], rate: number): Promise<void> {
  for (const [topic, group] of byTopic(moves)) {
    await admin.alterConfigs({ type: 'topic', name: topic }, topicThrottles(group));
  }
  const brokers = new Set(moves.flatMap(({ sources, destinations }) => [...sources, ...destinations]));
  await setRates(admin, brokers, [LEADER_RATE, FOLLOWER_RATE], rate);
  print(`The inter-broker throttle limit was set to ${rate} B/s`);
}

/** Limits the moves between log directories. @param rate bytes a second */
export async function throttleLogDirMoves(admin: Admin, brokers: ReadonlySet<number>, rate: number): Promise<void> {
  await setRates(admin, brokers, [LOG_DIR_RATE], rate);
  print(`The replica-alter-dir throttle limit was set to ${rate} B/s`);
}

async function setRates(
  admin: Admin,
  brokers: ReadonlySet<number>,
  names: readonly string[],
  rate: number,
): Promise<void> {
  const changes = names.map((name): ConfigChange => ({ name, operation: 'set', value: String(rate) }));
  for (const id of brokers) await admin.alterConfigs({ type: 'broker', name: String(id) }, changes);
}

/** Lifts every throttle of every broker, and of the topics: it is not known any more who was throttled for what. */
export async function clearThrottles(admin: Admin, partitions: readonly TopicPartition[]): Promise<void> {
  const removal = (name: string): ConfigChange => ({ name, operation: 'delete' });
  const { brokers } = await admin.describeCluster();
  const ids = brokers.map(({ id }) => id).sort((a, b) => a - b);
  print(`Clearing broker-level throttles on ${counted('broker', ids.length)} ${ids.join()}`);
  for (const id of ids) {
    await admin.alterConfigs(
      { type: 'broker', name: String(id) },
      [LEADER_RATE, FOLLOWER_RATE, LOG_DIR_RATE].map(removal),
    );
  }
  const topics = [...byTopic(partitions).keys()].sort();
  print(`Clearing topic-level throttles on ${counted('topic', topics.length)} ${topics.join()}`);
  for (const name of topics) {
    await admin.alterConfigs({ type: 'topic', name }, [LEADER_REPLICAS, FOLLOWER_REPLICAS].map(removal));
  }
}
