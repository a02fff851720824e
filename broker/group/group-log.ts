import { ErrorCode } from '../../shared/protocol/errors.ts';
import { BatchBuilder } from '../../shared/records/batch-builder.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { OffsetOf } from './offset.ts';
import type { Group } from './group.ts';
import { groupKey, groupValue, offsetKey, offsetValue } from './log-records.ts';
import type { CommittingTransaction, GroupSettings, LogWriter } from './ports.ts';

export interface GroupLogParts {
  readonly writer: LogWriter;
  readonly settings: () => GroupSettings;
  readonly clock: Clock;
  /** The partition of `__consumer_offsets` in which a group is kept. */
  readonly partitionOf: (groupId: string) => number;
}

/** Appends to these are not waited for: who comes after will find out by itself, and do it again. */
const NO_ACKS = 0;

/** Writes groups and offsets into `__consumer_offsets` (Kafka: `GroupMetadataManager`). */
export class GroupLog {
  readonly #parts: GroupLogParts;

  constructor(parts: GroupLogParts) {
    this.#parts = parts;
  }

  /** Writes a group with its members' assignments; answers with the code that a JoinGroup or SyncGroup gets. */
  async storeGroup(group: Group, assignments: ReadonlyMap<string, Buffer>): Promise<ErrorCode> {
    const builder = new BatchBuilder();
    builder.append(this.#parts.clock.now(), groupKey(group.groupId), groupValue(group, assignments));
    const { errorCode } = await this.#append(group.groupId, builder, this.#parts.settings().commitAcks);
    return groupError(errorCode);
  }

  /**
   * Writes commits of one group as one batch; answers with the code that an OffsetCommit gets.
   * @param transaction in which they are committed, if they are
   */
  async storeOffsets(
    groupId: string,
    commits: readonly OffsetOf[],
    transaction?: CommittingTransaction,
  ): Promise<{ readonly errorCode: ErrorCode; readonly baseOffset: number }> {
    const builder = new BatchBuilder();
    const now = this.#parts.clock.now();
    for (const commit of commits)
      builder.append(now, offsetKey(groupId, commit.topic, commit.partition), offsetValue(commit));
    const { commitAcks } = this.#parts.settings();
    const { errorCode, baseOffset } = await this.#append(groupId, builder, commitAcks, transaction);
    return { errorCode: commitError(errorCode), baseOffset };
  }

  /** Writes that offsets, and perhaps the group itself, are forgotten. */
  forget(groupId: string, offsets: readonly OffsetOf[], alsoGroup: boolean): void {
    if (offsets.length === 0 && !alsoGroup) return;
    const builder = new BatchBuilder();
    const now = this.#parts.clock.now();
    for (const { topic, partition } of offsets) builder.append(now, offsetKey(groupId, topic, partition), null);
    if (alsoGroup) builder.append(now, groupKey(groupId), null);
    void this.#append(groupId, builder, NO_ACKS);
  }

  /** Coordinators do not number what they write for producers: each batch says that it is the first. */
  #append(
    groupId: string,
    builder: BatchBuilder,
    acks: number,
    transaction?: CommittingTransaction,
  ): ReturnType<LogWriter['append']> {
    const { writer, settings, partitionOf } = this.#parts;
    const codec = settings().compression;
    const partition = partitionOf(groupId);
    if (transaction === undefined) return writer.append(partition, builder.build({ codec }), acks);
    const { producerId, producerEpoch } = transaction;
    const options = { codec, producerId, producerEpoch, baseSequence: 0, isTransactional: true };
    return writer.append(partition, builder.build(options), acks, transaction);
  }
}

/** What both kinds of writes make of an append's error (Kafka: `GroupMetadataManager.storeGroup`, `storeOffsets`). */
function commonError(errorCode: ErrorCode): ErrorCode {
  switch (errorCode) {
    case ErrorCode.UNKNOWN_TOPIC_OR_PARTITION:
    case ErrorCode.NOT_ENOUGH_REPLICAS:
    case ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND:
      return ErrorCode.COORDINATOR_NOT_AVAILABLE;
    case ErrorCode.NOT_LEADER_OR_FOLLOWER:
    case ErrorCode.KAFKA_STORAGE_ERROR:
      return ErrorCode.NOT_COORDINATOR;
    default:
      return errorCode;
  }
}

const TOO_LARGE: readonly ErrorCode[] = [
  ErrorCode.MESSAGE_TOO_LARGE,
  ErrorCode.RECORD_LIST_TOO_LARGE,
  ErrorCode.INVALID_FETCH_SIZE,
];

function groupError(errorCode: ErrorCode): ErrorCode {
  if (errorCode === ErrorCode.REQUEST_TIMED_OUT) return ErrorCode.REBALANCE_IN_PROGRESS;
  return TOO_LARGE.includes(errorCode) ? ErrorCode.UNKNOWN_SERVER_ERROR : commonError(errorCode);
}

function commitError(errorCode: ErrorCode): ErrorCode {
  return TOO_LARGE.includes(errorCode) ? ErrorCode.INVALID_COMMIT_OFFSET_SIZE : commonError(errorCode);
}
