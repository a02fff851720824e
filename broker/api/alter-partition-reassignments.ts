import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { AlterPartitionReassignments } from '../../shared/protocol/messages/alter-partition-reassignments.ts';
import { byTopic } from '../../shared/topics/topic-partition.ts';
import { NotControllerError, type Controller, type ReassignmentResult } from '../controller/controller.ts';
import type { ApiHandler } from '../request/handler.ts';
import { notController } from './admin-errors.ts';

type Response = ResponseInput<typeof AlterPartitionReassignments>;

/** Begins and cancels reassignments; answers when they are begun. */
export function alterPartitionReassignmentsHandler(
  controller: Controller,
): ApiHandler<typeof AlterPartitionReassignments> {
  return {
    api: AlterPartitionReassignments,
    versions: AlterPartitionReassignments.versions,
    async handle({ topics }, context) {
      context.park();
      const orders = topics.flatMap(({ name, partitions }) =>
        partitions.map(({ partitionIndex, replicas }) => ({ topic: name, partition: partitionIndex, replicas })),
      );
      try {
        return response(ErrorCode.NONE, null, await controller.alterReassignments(orders));
      } catch (error) {
        if (!(error instanceof NotControllerError)) throw error;
        const { code, message } = notController();
        return response(code, message, []);
      }
    },
  };
}

function response(errorCode: ErrorCode, errorMessage: string | null, results: readonly ReassignmentResult[]): Response {
  const responses = Array.from(byTopic(results), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, ...outcome }) => ({
      partitionIndex: partition,
      errorCode: outcome.errorCode,
      errorMessage: outcome.errorMessage,
    })),
  }));
  return { throttleTimeMs: 0, errorCode, errorMessage, responses };
}
