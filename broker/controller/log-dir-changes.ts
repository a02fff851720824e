import { ErrorCode } from '../../shared/protocol/errors.ts';
import { replicasWentOffline } from './broker-changes.ts';
import type { PartitionReplica } from './context.ts';
import type { LeaderAndIsrResponse, Office } from './office.ts';

/**
 * Brokers report failed log directories without saying what was in them: LeaderAndIsr for all their replicas makes them
 * tell (Kafka: `processLogDirEventNotification`).
 */
export async function logDirsFailed({ context, store, watchers, replicas, controller }: Office): Promise<void> {
  const events = await store.logDirEvents.list(watchers.logDirEvents);
  if (events.size === 0) return;
  const brokers = new Set([...events.values()].filter(broker => broker !== null));
  await replicas.change(context.replicasOn(brokers), 'OnlineReplica');
  await store.logDirEvents.remove(events.keys(), controller);
}

/** Whether the answer says anything that the controller must act on: most do not, and need no event. */
export function isNewsOfLogDirs({ context }: Office, broker: number, response: LeaderAndIsrResponse): boolean {
  if (response.errorCode !== ErrorCode.NONE) return false;
  return (
    context.hasOfflineDirs(broker) ||
    response.topics.some(topic =>
      topic.partitionErrors.some(({ errorCode }) => errorCode === ErrorCode.KAFKA_STORAGE_ERROR),
    )
  );
}

/** Takes note of which replicas of the broker are in failed directories (Kafka: `processLeaderAndIsrResponseReceived`). */
export async function leaderAndIsrAnswered(
  office: Office,
  broker: number,
  response: LeaderAndIsrResponse,
): Promise<void> {
  const { context } = office;
  const gone: PartitionReplica[] = [];
  for (const { topicId, partitionErrors } of response.topics) {
    const topic = context.topicById(topicId);
    for (const { partitionIndex, errorCode } of partitionErrors) {
      const partition = topic?.partitions.get(partitionIndex);
      if (partition === undefined) continue;
      if (errorCode === ErrorCode.NONE) context.clearOfflineDir(broker, partition.key);
      if (errorCode !== ErrorCode.KAFKA_STORAGE_ERROR || context.isInOfflineDir(broker, partition.key)) continue;
      context.markInOfflineDir(broker, partition.key);
      gone.push({ partition, broker });
    }
  }
  if (gone.length > 0) await replicasWentOffline(office, gone);
}
