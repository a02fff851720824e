import type { CommittedOffset, OffsetOf } from './offset.ts';
import type { Group } from './group.ts';

/**
 * The offsets of a group that are to be forgotten (KIP-211; Kafka: `GroupMetadata.removeExpiredOffsets`): of a group
 * that is empty, when it has been so for `retentionMs`; of one with members, those of topics that nobody reads any more,
 * `retentionMs` after the commit; of one that never had members, likewise.
 */
export function expiredOffsets(group: Group, nowMs: number, retentionMs: number): OffsetOf[] {
  const since = baseTime(group);
  if (since === null) return [];
  const isRead = (topic: string) => group.is('Stable') && (group.subscribedTopics?.has(topic) ?? false);
  return [...group.offsets.all()].filter(
    offset =>
      !isRead(offset.topic) &&
      !group.offsets.isPending(offset.topic, offset.partition) &&
      // Clients of OffsetCommit 2 to 4 may have said when.
      nowMs >= (offset.expireTimestamp ?? since(offset) + retentionMs),
  );
}

/** From when on an offset grows old; null: nothing of this group does. */
function baseTime(group: Group): ((offset: CommittedOffset) => number) | null {
  if (group.protocolType === null) return offset => offset.commitTimestamp;
  if (group.is('Empty')) return offset => group.stateTimestamp ?? offset.commitTimestamp;
  const isKnown = group.isConsumerGroup && group.is('Stable') && group.subscribedTopics !== null;
  return isKnown ? offset => offset.commitTimestamp : null;
}
