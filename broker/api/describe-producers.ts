import type { ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { DescribeProducers } from '../../shared/protocol/messages/describe-producers.ts';
import type { MetadataCache } from '../metadata/metadata-cache.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

type PartitionResponse = ResponseInput<typeof DescribeProducers>['topics'][number]['partitions'][number];

/** Tells what a replica here, leading or following, knows of the producers of partitions (KIP-664). */
export function describeProducersHandler(
  replicas: ReplicaManager,
  metadata: MetadataCache,
): ApiHandler<typeof DescribeProducers> {
  return {
    api: DescribeProducers,
    versions: DescribeProducers.versions,
    handle: ({ topics }) => ({
      throttleTimeMs: 0,
      topics: topics.map(({ name, partitionIndexes }) => ({
        name,
        partitions: partitionIndexes.map(partitionIndex => describe(replicas, metadata, name, partitionIndex)),
      })),
    }),
  };
}

function describe(
  replicas: ReplicaManager,
  metadata: MetadataCache,
  topic: string,
  partitionIndex: number,
): PartitionResponse {
  const isKnown = metadata.partition(topic, partitionIndex) !== null;
  const found = isKnown ? replicas.activeProducers(topic, partitionIndex) : ErrorCode.UNKNOWN_TOPIC_OR_PARTITION;
  if (typeof found === 'number') return { partitionIndex, errorCode: found, activeProducers: [] };
  const activeProducers = Array.from(found, entry => ({
    producerId: entry.producerId,
    producerEpoch: entry.epoch,
    lastSequence: entry.lastSequence,
    lastTimestamp: entry.lastTimestamp,
    coordinatorEpoch: entry.coordinatorEpoch,
    currentTxnStartOffset: entry.currentTxnFirstOffset,
  }));
  return { partitionIndex, errorCode: ErrorCode.NONE, activeProducers };
}
