import type { RequestOf } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { TxnOffsetCommit } from '../../shared/protocol/messages/txn-offset-commit.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { OffsetOf } from '../group/offset.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ApiHandler } from '../request/handler.ts';
import { commitAnswer, ofExisting } from './commit-answer.ts';

type Request = RequestOf<typeof TxnOffsetCommit>;

/** Producers of before version 2 could break on COORDINATOR_LOAD_IN_PROGRESS (KAFKA-7296). */
const FIRST_WITH_LOADING = 2;
/** From this version on producers know TRANSACTION_ABORTABLE. */
const FIRST_WITH_ABORTABLE = 4;

export interface TxnOffsetCommitParts {
  readonly groups: Pick<GroupCoordinator, 'commitInTransaction'>;
  readonly metadata: MetadataCache;
  readonly clock: Clock;
}

/** Commits offsets of partitions that exist, within a transaction (Kafka: `KafkaApis.handleTxnOffsetCommitRequest`). */
export function txnOffsetCommitHandler(parts: TxnOffsetCommitParts): ApiHandler<typeof TxnOffsetCommit> {
  return {
    api: TxnOffsetCommit,
    versions: TxnOffsetCommit.versions,
    async handle(request, context) {
      const offsets = offsetsOf(request, parts.clock.now());
      const known = ofExisting(offsets, parts.metadata);
      const { groupId, generationId, memberId, groupInstanceId } = request;
      const committed = parts.groups.commitInTransaction(
        { groupId, generationId, memberId, groupInstanceId, offsets: known },
        transactionOf(request, context.apiVersion),
      );
      context.park();
      const codes = (await committed).map(code => replaced(code, context.apiVersion));
      return commitAnswer(offsets, known, codes);
    },
  };
}

function transactionOf({ transactionalId: id, producerId, producerEpoch }: Request, apiVersion: number) {
  return { id, producerId, producerEpoch, knowsAbortable: apiVersion >= FIRST_WITH_ABORTABLE };
}

function offsetsOf({ topics }: Request, now: number): OffsetOf[] {
  return topics.flatMap(({ name, partitions }) =>
    partitions.map(partition => ({
      topic: name,
      partition: partition.partitionIndex,
      offset: partition.committedOffset,
      leaderEpoch: partition.committedLeaderEpoch,
      metadata: partition.committedMetadata ?? '',
      commitTimestamp: now,
      expireTimestamp: null,
    })),
  );
}

function replaced(errorCode: ErrorCode, apiVersion: number): ErrorCode {
  const isNews = errorCode === ErrorCode.COORDINATOR_LOAD_IN_PROGRESS && apiVersion < FIRST_WITH_LOADING;
  return isNews ? ErrorCode.COORDINATOR_NOT_AVAILABLE : errorCode;
}
