import * as batch from '../../shared/records/batch.ts';
import { BatchCursor } from '../../shared/records/batch-cursor.ts';
import { CODECS } from '../../shared/records/compression.ts';
import { recordsBuffer } from '../../shared/protocol/json.ts';
import type { RequestOf, ResponseInput } from '../../shared/protocol/api.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import type { BrokerMetrics } from '../metrics/broker-metrics.ts';
import type { AppendEntry } from '../replication/append-request.ts';
import type { AppendResult } from '../replication/append.ts';
import type { ReplicaManager } from '../replication/replica-manager.ts';
import type { RequestContext } from '../request/context.ts';
import { CloseConnection, type ApiHandler } from '../request/handler.ts';
import type { LeaderHints } from './leader-hints.ts';
import { transactionOf } from './produce-transaction.ts';

type Request = RequestOf<typeof Produce>;
type Response = ResponseInput<typeof Produce>;
type PartitionResponse = Response['responses'][number]['partitionResponses'][number];

/** From this version on a request carries exactly one magic 2 batch a partition; before, message sets. */
const FIRST_VERSION_WITH_BATCHES = 3;
const FIRST_VERSION_WITH_ZSTD = 7;
const FIRST_VERSION_WITH_LEADER_HINTS = 10;

export interface ProduceParts {
  readonly replicas: ReplicaManager;
  readonly metrics: BrokerMetrics;
  readonly hints: LeaderHints;
}

/** Why a partition's records are refused before any log sees them. */
interface Refusal {
  readonly code: ErrorCode;
  readonly message: string;
}

/** Appends record batches. With acks=0 nothing is answered, and an error closes the connection: the only sign there can be. */
export function produceHandler(parts: ProduceParts): ApiHandler<typeof Produce> {
  return {
    api: Produce,
    versions: Produce.versions,
    async handle(request, context) {
      const outcomes = await append(parts, request, context);
      if (request.acks !== 0) return answer(parts, outcomes, context);
      closeOnError(outcomes);
      return undefined;
    },
  };
}

async function append(
  { replicas, metrics }: ProduceParts,
  request: Request,
  context: RequestContext,
): Promise<AppendResult[]> {
  const refused: AppendResult[] = [];
  const entries: AppendEntry[] = [];
  for (const { name, partitionData } of request.topicData) {
    for (const { index, records } of partitionData) {
      const entry = { topic: name, partition: index, records: recordsBuffer(records) };
      const refusal = refuse(entry.records, context.apiVersion);
      if (refusal === null) entries.push(entry);
      else refused.push(failure(entry, refusal));
    }
  }
  const version = context.apiVersion;
  const transaction =
    version < FIRST_VERSION_WITH_BATCHES ? null : transactionOf(entries, request.transactionalId, version);
  if (transaction !== null && 'code' in transaction) {
    return [...refused, ...entries.map(entry => failure(entry, transaction))];
  }
  // Counted before the append: afterwards the buffer may belong to the next request.
  const sizes = entries.map(({ records }) => ({ bytes: records.length, messages: messageCount(records) }));
  const appended = await replicas.append(
    {
      acks: request.acks,
      timeoutMs: request.timeoutMs,
      entries,
      legacyMagicAllowed: version < FIRST_VERSION_WITH_BATCHES,
      ...(transaction === null ? {} : { transaction }),
      origin: context.clientId === '__admin_client' ? 'adminClient' : 'client',
    },
    () => context.park(),
  );
  appended.forEach((outcome, index) => meter(metrics, outcome, sizes[index]!));
  return [...refused, ...appended];
}

/** Kafka: ProduceRequest.validateRecords. */
function refuse(records: Buffer, version: number): Refusal | null {
  if (version < FIRST_VERSION_WITH_BATCHES) return null;
  const invalid = (message: string) => ({ code: ErrorCode.INVALID_RECORD, message });
  const cursor = new BatchCursor().reset(records);
  try {
    if (!cursor.next())
      return invalid('A produce request has to carry exactly one record batch a partition, and this one has none.');
    const { position, size } = cursor;
    const magic = batch.magic(records, position);
    if (magic !== 2) return invalid(`From version 3 on, produce requests carry batches of magic 2, not ${magic}.`);
    if (version < FIRST_VERSION_WITH_ZSTD && batch.compressionCodec(records, position) === CODECS.zstd) {
      return { code: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, message: 'zstd may be used from produce version 7 on.' };
    }
    if (size !== records.length)
      return invalid('A produce request has to carry exactly one record batch a partition, and this one has more.');
    return null;
  } catch (error) {
    return { code: ErrorCode.CORRUPT_MESSAGE, message: (error as Error).message };
  }
}

/** Records by the batches' headers; old message sets count their entries. */
function messageCount(records: Buffer): number {
  const cursor = new BatchCursor().reset(records);
  let count = 0;
  try {
    while (cursor.next())
      count += batch.magic(records, cursor.position) === 2 ? batch.recordCount(records, cursor.position) : 1;
  } catch {
    // What is malformed is refused by the log, with a sentence that says why.
  }
  return count;
}

function failure({ topic, partition }: AppendEntry, { code, message }: Refusal): AppendResult {
  return {
    topic,
    partition,
    errorCode: code,
    errorMessage: message,
    recordErrors: [],
    baseOffset: -1,
    logAppendTimeMs: -1,
    logStartOffset: -1,
  };
}

function meter(
  metrics: BrokerMetrics,
  { topic, errorCode }: AppendResult,
  { bytes, messages }: { bytes: number; messages: number },
): void {
  if (errorCode === ErrorCode.NONE) metrics.topic(topic).produced(messages, bytes);
  // Names of topics that do not exist come from outside: counting them one by one would be unbounded.
  else if (errorCode === ErrorCode.UNKNOWN_TOPIC_OR_PARTITION) metrics.allTopics.produceFailed(bytes);
  else metrics.topic(topic).produceFailed(bytes);
}

function closeOnError(outcomes: readonly AppendResult[]): void {
  const failed = outcomes.find(outcome => outcome.errorCode !== ErrorCode.NONE);
  if (failed === undefined) return;
  throw new CloseConnection(
    `a produce with acks=0 to ${failed.topic}-${failed.partition} failed: ${failed.errorMessage ?? String(failed.errorCode)}`,
  );
}

function answer({ hints }: ProduceParts, outcomes: readonly AppendResult[], context: RequestContext): Response {
  const topics = new Map<string, PartitionResponse[]>();
  const leaders = new Set<number>();
  const withHints = context.apiVersion >= FIRST_VERSION_WITH_LEADER_HINTS;
  for (const outcome of outcomes) {
    let partitions = topics.get(outcome.topic);
    if (partitions === undefined) topics.set(outcome.topic, (partitions = []));
    const leader =
      withHints && outcome.errorCode === ErrorCode.NOT_LEADER_OR_FOLLOWER
        ? hints.leader(outcome.topic, outcome.partition)
        : null;
    if (leader !== null) leaders.add(leader.leaderId);
    partitions.push({
      index: outcome.partition,
      errorCode: storageCode(outcome.errorCode, context.apiVersion),
      baseOffset: outcome.baseOffset,
      logAppendTimeMs: outcome.logAppendTimeMs,
      logStartOffset: outcome.logStartOffset,
      recordErrors: outcome.recordErrors.map(({ batchIndex, message }) => ({
        batchIndex,
        batchIndexErrorMessage: message,
      })),
      errorMessage: outcome.errorMessage,
      ...(leader === null ? {} : { currentLeader: leader }),
    });
  }
  const nodeEndpoints = hints.endpoints(leaders, context.connection.listenerName);
  return {
    responses: [...topics].map(([name, partitionResponses]) => ({ name, partitionResponses })),
    throttleTimeMs: 0,
    nodeEndpoints,
  };
}

/** Clients of the oldest versions do not know KAFKA_STORAGE_ERROR. */
function storageCode(code: ErrorCode, version: number): ErrorCode {
  return code === ErrorCode.KAFKA_STORAGE_ERROR && version <= 3 ? ErrorCode.NOT_LEADER_OR_FOLLOWER : code;
}
