import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { ElectLeaders } from '../../shared/protocol/messages/elect-leaders.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { Controller, ElectionResult } from '../controller/controller.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { MetadataWaits } from '../metadata/metadata-waits.ts';
import type { ApiHandler } from '../request/handler.ts';

type Results = ResponseInput<typeof ElectLeaders>['replicaElectionResults'];

export interface ElectLeadersParts {
  readonly controller: Controller;
  readonly metadata: MetadataCache;
  readonly waits: MetadataWaits;
}

/** Runs a preferred or unclean election; answers when this broker has heard of the new leaders, or at the timeout. */
export function electLeadersHandler(parts: ElectLeadersParts): ApiHandler<typeof ElectLeaders> {
  return {
    api: ElectLeaders,
    versions: ElectLeaders.versions,
    async handle(request, context) {
      context.park();
      if (!parts.controller.isActive) {
        return { throttleTimeMs: 0, errorCode: ErrorCode.NOT_CONTROLLER, replicaElectionResults: [] };
      }
      const wanted =
        request.topicPartitions?.flatMap(({ topic, partitions }) =>
          partitions.map((partition): TopicPartition => ({ topic, partition })),
        ) ?? null;
      const results = await parts.controller.electLeaders(wanted, request.electionType === 1 ? 'UNCLEAN' : 'PREFERRED');
      await parts.waits.until(() => results.every(r => isVisible(parts.metadata, r)), request.timeoutMs);
      return { throttleTimeMs: 0, errorCode: ErrorCode.NONE, replicaElectionResults: group(results, wanted === null) };
    },
  };
}

function isVisible(metadata: MetadataCache, { topic, partition, errorCode, leader }: ElectionResult): boolean {
  return errorCode !== ErrorCode.NONE || metadata.partition(topic, partition)?.leader === leader;
}

/** Elections over all partitions report only those where there was something to do. */
function group(results: readonly ElectionResult[], all: boolean): Results {
  const byTopic = new Map<string, Results[number]['partitionResult'][number][]>();
  for (const { topic, partition, errorCode, errorMessage } of results) {
    if (all && errorCode === ErrorCode.ELECTION_NOT_NEEDED) continue;
    let partitions = byTopic.get(topic);
    if (partitions === undefined) byTopic.set(topic, (partitions = []));
    partitions.push({ partitionId: partition, errorCode, errorMessage });
  }
  return [...byTopic].map(([topic, partitionResult]) => ({ topic, partitionResult }));
}
