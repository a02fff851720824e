import { AddOffsetsToTxn } from '../../shared/protocol/messages/add-offsets-to-txn.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../../shared/topics/names.ts';
import type { GroupCoordinator } from '../group/coordinator.ts';
import type { ApiHandler } from '../request/handler.ts';
import type { TransactionCoordinator } from '../transaction/coordinator.ts';
import { fencingCode, FIRST_WITH_FENCED } from './transaction-codes.ts';

/** Takes the partition in which a group's offsets are kept into a transaction. */
export function addOffsetsToTxnHandler(
  transactions: Pick<TransactionCoordinator, 'addPartitions'>,
  groups: Pick<GroupCoordinator, 'partitionOf'>,
): ApiHandler<typeof AddOffsetsToTxn> {
  return {
    api: AddOffsetsToTxn,
    versions: AddOffsetsToTxn.versions,
    async handle(request, context) {
      const partition = { topic: CONSUMER_OFFSETS_TOPIC, partition: groups.partitionOf(request.groupId) };
      const added = transactions.addPartitions(request, [partition]);
      context.park();
      return { throttleTimeMs: 0, errorCode: fencingCode(await added, context.apiVersion >= FIRST_WITH_FENCED) };
    },
  };
}
