import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ListPartitionReassignments } from '../../shared/protocol/messages/list-partition-reassignments.ts';
import { byTopic, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { NotControllerError, type Controller, type OngoingReassignment } from '../controller/controller.ts';
import type { ApiHandler } from '../request/handler.ts';
import { notController } from './admin-errors.ts';

type Response = ResponseInput<typeof ListPartitionReassignments>;

/** Tells which reassignments are under way. Partitions that are not being reassigned, or do not exist, are left out. */
export function listPartitionReassignmentsHandler(
  controller: Controller,
): ApiHandler<typeof ListPartitionReassignments> {
  return {
    api: ListPartitionReassignments,
    versions: ListPartitionReassignments.versions,
    async handle({ topics }, context) {
      context.park();
      const wanted =
        topics?.flatMap(({ name, partitionIndexes }) =>
          partitionIndexes.map((partition): TopicPartition => ({ topic: name, partition })),
        ) ?? null;
      try {
        return response(ErrorCode.NONE, null, await controller.ongoingReassignments(wanted));
      } catch (error) {
        if (!(error instanceof NotControllerError)) throw error;
        const { code, message } = notController();
        return response(code, message, []);
      }
    },
  };
}

function response(
  errorCode: ErrorCode,
  errorMessage: string | null,
  ongoing: readonly OngoingReassignment[],
): Response {
  const topics = Array.from(byTopic(ongoing), ([name, group]) => ({
    name,
    partitions: group.map(({ partition, replicas, adding, removing }) => ({
      partitionIndex: partition,
      replicas: [...replicas],
      addingReplicas: [...adding],
      removingReplicas: [...removing],
    })),
  }));
  return { throttleTimeMs: 0, errorCode, errorMessage, topics };
}
