import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { WriteTxnMarkers } from '../../shared/protocol/messages/write-txn-markers.ts';
import { buildTransactionMarker } from '../../shared/records/transaction-marker.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { CONSUMER_OFFSETS_TOPIC } from '../../shared/topics/names.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { ApiHandler } from '../request/handler.ts';

type Marker = RequestOf<typeof WriteTxnMarkers>['markers'][number];
type Response = ResponseInput<typeof WriteTxnMarkers>;

/** What became of one partition of a marker. */
interface Outcome extends TopicPartition {
  readonly errorCode: ErrorCode;
}

/** Codes of a producer's partitions, by topic. */
type TopicCodes = Map<string, Map<number, ErrorCode>>;

export interface WriteTxnMarkersParts {
  readonly replicas: Pick<ReplicaManager, 'append' | 'hasLog'>;
  readonly clock: Clock;
  readonly logger: Logger;
  /** `request.timeout.ms` */
  readonly timeoutMs: () => number;
  /** Makes what the producer has committed to that partition of `__consumer_offsets` visible, or drops it. */
  readonly completeOffsets: (partition: number, producerId: number, isCommit: boolean) => Promise<void>;
}

/**
 * Ends transactions in partitions led here, as their coordinator decided (Kafka: `KafkaApis.handleWriteTxnMarkersRequest`).
 * The markers take their offsets in the order of the request; each is answered when all in-sync replicas have it. Logs
 * are always written in the format with markers, so that UNSUPPORTED_FOR_MESSAGE_FORMAT does not arise. Besides the brokers,
 * administrators ask for it, to end a transaction that hangs (KIP-664).
 */
export function writeTxnMarkersHandler(parts: WriteTxnMarkersParts): ApiHandler<typeof WriteTxnMarkers> {
  return {
    api: WriteTxnMarkers,
    versions: WriteTxnMarkers.versions,
    async handle({ markers }, context) {
      const writes = markers.map(marker => write(parts, marker));
      context.park();
      return answer(markers, await Promise.all(writes));
    },
  };
}

async function write(parts: WriteTxnMarkersParts, marker: Marker): Promise<Outcome[]> {
  const { replicas } = parts;
  const named = marker.topics.flatMap(({ name, partitionIndexes }) =>
    partitionIndexes.map(partition => ({ topic: name, partition })),
  );
  const hosted = named.filter(({ topic, partition }) => replicas.hasLog(topic, partition));
  const elsewhere = named.filter(tp => !hosted.includes(tp));
  const appended = await append(parts, marker, hosted);
  const completed = await Promise.all(appended.map(outcome => completeOffsets(parts, marker, outcome)));
  return [...elsewhere.map(tp => ({ ...tp, errorCode: ErrorCode.UNKNOWN_TOPIC_OR_PARTITION })), ...completed];
}

/** The log takes the marker within this call. */
function append(parts: WriteTxnMarkersParts, marker: Marker, partitions: readonly TopicPartition[]) {
  const { producerId, producerEpoch, coordinatorEpoch, transactionResult: isCommit } = marker;
  const content = { isCommit, coordinatorEpoch, timestamp: parts.clock.now() };
  // One batch each: the log writes offset and epoch into it.
  const entries = partitions.map(({ topic, partition }) => ({
    topic,
    partition,
    records: buildTransactionMarker({ producerId, producerEpoch }, content),
  }));
  const request = { acks: -1, timeoutMs: parts.timeoutMs(), entries, legacyMagicAllowed: false };
  return parts.replicas.append({ ...request, origin: 'coordinator' }, () => {});
}

async function completeOffsets(
  { completeOffsets, logger }: WriteTxnMarkersParts,
  { producerId, transactionResult: isCommit }: Marker,
  { topic, partition, errorCode }: Outcome,
): Promise<Outcome> {
  if (topic !== CONSUMER_OFFSETS_TOPIC || errorCode !== ErrorCode.NONE) return { topic, partition, errorCode };
  try {
    await completeOffsets(partition, producerId, isCommit);
    return { topic, partition, errorCode };
  } catch (error) {
    logger.error({ err: error, topic, partition, producerId }, 'could not complete the offsets of a transaction');
    return { topic, partition, errorCode: ErrorCode.UNKNOWN_SERVER_ERROR };
  }
}

/** One entry a producer, however many of the markers are for it. */
function answer(markers: readonly Marker[], outcomes: readonly Outcome[][]): Response {
  const producers = new Map<number, TopicCodes>();
  for (const [i, { producerId }] of markers.entries()) {
    const topics = getOrAdd(producers, producerId, () => new Map() as TopicCodes);
    for (const { topic, partition, errorCode } of outcomes[i]!) {
      getOrAdd(topics, topic, () => new Map<number, ErrorCode>()).set(partition, errorCode);
    }
  }
  return {
    markers: Array.from(producers, ([producerId, topics]) => ({
      producerId,
      topics: Array.from(topics, ([name, codes]) => ({
        name,
        partitions: Array.from(codes, ([partitionIndex, errorCode]) => ({ partitionIndex, errorCode })),
      })),
    })),
  };
}

function getOrAdd<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) map.set(key, (value = make()));
  return value;
}
