import { ConnectionError, type Connection } from '../../shared/connection/connection.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { KafkaError } from '../errors.ts';
import type { PartitionInfo } from './cluster-view.ts';
import type { Cluster } from './cluster.ts';

/**
 * Asks a partition's leader, following it when it moves, as long as the error is one that passes.
 * @param what for the error's text: what did not succeed
 * @throws KafkaError that is not retriable, or the last one at `deadline` (monotonic ms)
 */
export async function askLeader<T>(
  cluster: Cluster,
  { topic, partition }: TopicPartition,
  deadline: number,
  what: string,
  ask: (leader: Connection, info: PartitionInfo) => Promise<T>,
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    let failure: unknown;
    try {
      const info = (await cluster.topic(topic, deadline)).partitions[partition];
      if (info === undefined) {
        throw new KafkaError(ErrorCode.INVALID_PARTITIONS, `topic ${topic} has no partition ${partition}`);
      }
      if (info.leader < 0) throw new KafkaError(ErrorCode.LEADER_NOT_AVAILABLE);
      return await ask(await cluster.broker(info.leader), info);
    } catch (error) {
      const retriable = error instanceof ConnectionError || (error instanceof KafkaError && error.retriable);
      if (!retriable) throw error;
      cluster.invalidate();
      failure = error;
    }
    await cluster.pause(attempt, deadline, failure, `${what} ${topic}-${partition}`);
  }
}
