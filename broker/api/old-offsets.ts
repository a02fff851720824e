import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { ZooKeeperStore } from '../../shared/zookeeper/store.ts';
import type { OffsetOf } from '../group/offset.ts';

/** The offsets that the oldest clients (OffsetCommit and OffsetFetch version 0) keep in ZooKeeper, outside of any group's rules. */
export class OldOffsets {
  readonly #store: ZooKeeperStore;
  readonly #maxMetadataLength: () => number;
  readonly #logger: Logger;

  constructor(store: ZooKeeperStore, maxMetadataLength: () => number, logger: Logger) {
    this.#store = store;
    this.#maxMetadataLength = maxMetadataLength;
    this.#logger = logger;
  }

  /** Resolves with a code for each offset, in order. The metadata is not kept, but must not be too long either. */
  commit(groupId: string, offsets: readonly OffsetOf[]): Promise<ErrorCode[]> {
    return Promise.all(
      offsets.map(async ({ topic, partition, offset, metadata }) => {
        if (metadata.length > this.#maxMetadataLength()) return ErrorCode.OFFSET_METADATA_TOO_LARGE;
        if (!isNodeName(groupId)) return ErrorCode.INVALID_GROUP_ID;
        try {
          await this.#store.consumerOffsets.set(groupId, topic, partition, offset);
          return ErrorCode.NONE;
        } catch (error) {
          return this.#failure(groupId, error);
        }
      }),
    );
  }

  /** UNKNOWN_TOPIC_OR_PARTITION: there is no offset. */
  async fetch(
    groupId: string,
    { topic, partition }: TopicPartition,
  ): Promise<{ readonly errorCode: ErrorCode; readonly offset: number }> {
    if (!isNodeName(groupId)) return { errorCode: ErrorCode.INVALID_GROUP_ID, offset: -1 };
    try {
      const offset = await this.#store.consumerOffsets.get(groupId, topic, partition);
      if (offset === null) return { errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION, offset: -1 };
      return { errorCode: ErrorCode.NONE, offset };
    } catch (error) {
      return { errorCode: this.#failure(groupId, error), offset: -1 };
    }
  }

  #failure(groupId: string, error: unknown): ErrorCode {
    this.#logger.warn({ err: error, groupId }, 'an offset in ZooKeeper is out of reach');
    return ErrorCode.UNKNOWN_SERVER_ERROR;
  }
}

/** Whether a group id can be the name of a znode, and is not a way to other nodes. */
function isNodeName(groupId: string): boolean {
  const isRefused = /[/\p{Cc}\p{Cs}\p{Co}\ufff0-\uffff\u{10000}-\u{10ffff}]/u.test(groupId);
  return groupId !== '' && groupId !== '.' && groupId !== '..' && !isRefused;
}
