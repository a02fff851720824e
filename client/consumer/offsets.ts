import type { Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ListOffsets } from '../../shared/protocol/messages/list-offsets.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { askLeader } from '../cluster/ask-leader.ts';
import type { Cluster } from '../cluster/cluster.ts';
import { KafkaError } from '../errors.ts';

/** What to look up: an end of the log, the record with the largest timestamp, or the first at or after a time (ms). */
export type OffsetSpec = 'earliest' | 'latest' | 'max-timestamp' | number;

export interface FoundOffset {
  /** -1 when there is no such record. */
  readonly offset: number;
  /** The record's timestamp in ms; -1 for the ends of the log. */
  readonly timestamp: number;
  /** -1 when the broker did not say. */
  readonly leaderEpoch: number;
}

const SPECIAL_TIMESTAMPS = { latest: -1, earliest: -2, 'max-timestamp': -3 } as const;

/**
 * Asks the partition's leader for an offset, following it when it moves.
 * @throws KafkaError that is not retriable, or the last one at `deadline` (monotonic ms)
 */
export async function listOffset(
  cluster: Cluster,
  tp: TopicPartition,
  spec: OffsetSpec,
  isolation: 'read_uncommitted' | 'read_committed',
  deadline: number,
): Promise<FoundOffset> {
  const timestamp = typeof spec === 'number' ? spec : SPECIAL_TIMESTAMPS[spec];
  return askLeader(cluster, tp, deadline, 'no offset of', (leader, { leaderEpoch }) =>
    lookUp(leader, tp, leaderEpoch, timestamp, isolation),
  );
}

async function lookUp(
  connection: Connection,
  { topic, partition }: TopicPartition,
  currentLeaderEpoch: number,
  timestamp: number,
  isolation: 'read_uncommitted' | 'read_committed',
): Promise<FoundOffset> {
  if (timestamp === SPECIAL_TIMESTAMPS['max-timestamp'] && (connection.versions(ListOffsets)?.max ?? 0) < 7) {
    throw new KafkaError(ErrorCode.UNSUPPORTED_VERSION, 'the broker cannot look up the largest timestamp');
  }
  const response = await connection.call(ListOffsets, {
    replicaId: -1,
    isolationLevel: isolation === 'read_committed' ? 1 : 0,
    topics: [{ name: topic, partitions: [{ partitionIndex: partition, currentLeaderEpoch, timestamp }] }],
  });
  const answer = response!.topics[0]!.partitions[0]!;
  if (answer.errorCode !== ErrorCode.NONE) throw new KafkaError(answer.errorCode);
  return { offset: answer.offset, timestamp: answer.timestamp, leaderEpoch: answer.leaderEpoch };
}
