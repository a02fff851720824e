import { ErrorCode } from '../../shared/protocol/errors.ts';
import { OffsetDelete } from '../../shared/protocol/messages/offset-delete.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';

/** Forgets committed offsets of partitions that exist (KIP-496). */
export function offsetDeleteHandler(
  groups: GroupCoordinator,
  metadata: MetadataCache,
): ApiHandler<typeof OffsetDelete> {
  return {
    api: OffsetDelete,
    versions: OffsetDelete.versions,
    handle({ groupId, topics }) {
      const wanted = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex }) => ({ topic: name, partition: partitionIndex })),
      );
      const known = wanted.filter(({ topic, partition }) => metadata.partition(topic, partition) !== null);
      const { errorCode, partitions: codes } = groups.deleteOffsets(groupId, known);
      if (errorCode !== ErrorCode.NONE) return { throttleTimeMs: 0, errorCode, topics: [] };
      const outcomes = new Map(known.map((partition, index) => [partition, codes[index]!]));
      const answers = Array.from(byTopic(wanted), ([name, ofTopic]) => ({
        name,
        partitions: ofTopic.map(partition => ({
          partitionIndex: partition.partition,
          errorCode: outcomes.get(partition) ?? ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
        })),
      }));
      return { throttleTimeMs: 0, errorCode, topics: answers };
    },
  };
}
