import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { OffsetCommit } from '../../shared/protocol/messages/offset-commit.ts';
import type { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import type { OffsetOf } from '../group/offset.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';

type Response = ResponseInput<typeof OffsetCommit> & ResponseInput<typeof TxnOffsetCommit>;

/** Those whose partitions exist: others are not committed. */
export function ofExisting(offsets: readonly OffsetOf[], metadata: MetadataCache): OffsetOf[] {
  return offsets.filter(({ topic, partition }) => metadata.partition(topic, partition) !== null);
}

/**
 * The answer to a commit, inside of a transaction or outside.
 * @param codes of the committed ones, in their order; the others' partitions are unknown
 */
export function commitAnswer(
  offsets: readonly OffsetOf[],
  committed: readonly OffsetOf[],
  codes: readonly ErrorCode[],
): Response {
  const outcomes = new Map(committed.map((offset, index) => [offset, codes[index]!]));
  const codeOf = (offset: OffsetOf) => outcomes.get(offset) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  const topics = Array.from(byTopic(offsets), ([name, ofTopic]) => ({
    name,
    partitions: ofTopic.map(offset => ({ partitionIndex: offset.partition, errorCode: codeOf(offset) })),
  }));
  return { throttleTimeMs: 0, topics };
}
