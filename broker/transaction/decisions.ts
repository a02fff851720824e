import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { TopicPartition } from '../../shared/topics/topic-partition.ts';
import { hasPartition, NO_PARTITIONS, withPartitions } from './partition-sets.ts';
import { isPrepared, isSettled } from './states.ts';
import { NONE, type TransactionContent } from './transaction.ts';

/*
 * What the coordinator does with a request, by the state in which it meets the transactional id (Kafka:
 * `TransactionCoordinator`, `TransactionMetadata`). Nothing here has an effect.
 */

/** Transactional id's content, and whether a transition of it is under way. */
export interface Known {
  readonly content: TransactionContent;
  readonly isPending: boolean;
}

/** The producer id and epoch by which a request names its producer. */
export interface ProducerIdentity {
  readonly producerId: number;
  readonly producerEpoch: number;
}

/** Answer at once with a code, NONE included; or write this, and then answer. */
export type Verdict =
  | { readonly kind: 'answer'; readonly errorCode: ErrorCode }
  | { readonly kind: 'write'; readonly next: TransactionContent };

/** InitProducerId may also find an open transaction, to be aborted first, or need an unused producer id. */
export type InitVerdict = Verdict | { readonly kind: 'fence' } | { readonly kind: 'needsProducerId' };

export interface InitRequest {
  readonly timeoutMs: number;
  /** What the producer has (KIP-360); null: it begins. */
  readonly expected: ProducerIdentity | null;
}

/** Epochs are int16, and one is kept back to fence the last producer that has this id. */
const LAST_USABLE_EPOCH = 32_766;

const answer = (errorCode: ErrorCode): Verdict => ({ kind: 'answer', errorCode });

/** What a transactional id is that nobody has heard of. */
export function newContent(producerId: number, timeoutMs: number, nowMs: number): TransactionContent {
  return {
    state: 'Empty',
    producerId,
    previousProducerId: NONE,
    producerEpoch: NONE,
    lastProducerEpoch: NONE,
    timeoutMs,
    partitions: NO_PARTITIONS,
    startMs: NONE,
    lastUpdateMs: nowMs,
  };
}

/**
 * A producer begins, or begins again: it gets the next epoch, which fences whoever had the last one.
 * @param freshId an unused producer id, if there is one at hand
 */
export function decideInit(known: Known, request: InitRequest, nowMs: number, freshId: number | null): InitVerdict {
  const { content, isPending } = known;
  const { expected, timeoutMs } = request;
  if (isPending) return answer(ErrorCode.CONCURRENT_TRANSACTIONS);
  if (expected !== null && !mayBeItsProducer(content, expected)) return answer(ErrorCode.PRODUCER_FENCED);
  if (isPrepared(content.state)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS);
  if (content.state === 'Ongoing') return { kind: 'fence' };
  const begun = { ...content, ...EMPTY, previousProducerId: content.producerId, timeoutMs, lastUpdateMs: nowMs };
  const isCurrent =
    expected === null || content.producerEpoch === NONE || expected.producerEpoch === content.producerEpoch;
  if (!isCurrent) {
    // It has not heard the answer that gave it the epoch in force: it gets the same one again.
    if (expected.producerEpoch !== content.lastProducerEpoch) return answer(ErrorCode.PRODUCER_FENCED);
    return { kind: 'write', next: { ...begun, previousProducerId: content.previousProducerId } };
  }
  const lastProducerEpoch = expected === null ? NONE : content.producerEpoch;
  if (content.producerEpoch < LAST_USABLE_EPOCH)
    return { kind: 'write', next: { ...begun, producerEpoch: content.producerEpoch + 1, lastProducerEpoch } };
  if (freshId === null) return { kind: 'needsProducerId' };
  return { kind: 'write', next: { ...begun, producerId: freshId, producerEpoch: 0, lastProducerEpoch } };
}

const EMPTY = { state: 'Empty', partitions: NO_PARTITIONS, startMs: NONE } as const;

/** With the former id it is the one whose epochs were exhausted, and who has not heard of the new id. */
function mayBeItsProducer(content: TransactionContent, { producerId, producerEpoch }: ProducerIdentity): boolean {
  if (content.producerEpoch === NONE || producerId === content.producerId) return true;
  return producerId === content.previousProducerId && producerEpoch >= LAST_USABLE_EPOCH;
}

function checkProducer(content: TransactionContent, { producerId, producerEpoch }: ProducerIdentity): ErrorCode {
  if (producerId !== content.producerId) return ErrorCode.INVALID_PRODUCER_ID_MAPPING;
  return producerEpoch === content.producerEpoch ? ErrorCode.NONE : ErrorCode.PRODUCER_FENCED;
}

/** Partitions come into the transaction, which begins with the first of them. */
export function decideAdd(
  { content, isPending }: Known,
  producer: ProducerIdentity,
  partitions: readonly TopicPartition[],
  nowMs: number,
): Verdict {
  const refusal = checkProducer(content, producer);
  if (refusal !== ErrorCode.NONE) return answer(refusal);
  if (isPending || isPrepared(content.state)) return answer(ErrorCode.CONCURRENT_TRANSACTIONS);
  const isOngoing = content.state === 'Ongoing';
  if (isOngoing && partitions.every(partition => hasPartition(content.partitions, partition)))
    return answer(ErrorCode.NONE);
  const next: TransactionContent = {
    ...content,
    state: 'Ongoing',
    partitions: withPartitions(isOngoing ? content.partitions : NO_PARTITIONS, partitions),
    startMs: isOngoing ? content.startMs : nowMs,
    lastUpdateMs: nowMs,
  };
  return { kind: 'write', next };
}

/** Whether a partition is in the transaction (KIP-890). What is pending does not matter: the append checks again. */
export function verifyPartition({ content }: Known, producer: ProducerIdentity, partition: TopicPartition): ErrorCode {
  const refusal = checkProducer(content, producer);
  if (refusal !== ErrorCode.NONE) return refusal;
  if (isPrepared(content.state)) return ErrorCode.CONCURRENT_TRANSACTIONS;
  return hasPartition(content.partitions, partition) ? ErrorCode.NONE : ErrorCode.TRANSACTION_ABORTABLE;
}

/** The producer ends its transaction. Who asks for the same again, not having heard the answer, gets it. */
export function decideEnd(
  { content, isPending }: Known,
  producer: ProducerIdentity,
  isCommit: boolean,
  nowMs: number,
): Verdict {
  const refusal = checkProducer(content, producer);
  if (refusal !== ErrorCode.NONE) return answer(refusal);
  if (isPending) return answer(ErrorCode.CONCURRENT_TRANSACTIONS);
  switch (content.state) {
    case 'Ongoing':
      return { kind: 'write', next: prepared(content, isCommit, nowMs) };
    case 'PrepareCommit':
    case 'PrepareAbort':
      return answer(isOutcome(content, isCommit) ? ErrorCode.CONCURRENT_TRANSACTIONS : ErrorCode.INVALID_TXN_STATE);
    case 'CompleteCommit':
    case 'CompleteAbort':
      return answer(isOutcome(content, isCommit) ? ErrorCode.NONE : ErrorCode.INVALID_TXN_STATE);
    default:
      return answer(ErrorCode.INVALID_TXN_STATE);
  }
}

function isOutcome({ state }: TransactionContent, isCommit: boolean): boolean {
  return isCommit === (state === 'PrepareCommit' || state === 'CompleteCommit');
}

/** The open transaction with its outcome decided. */
export function prepared(content: TransactionContent, isCommit: boolean, nowMs: number): TransactionContent {
  return { ...content, state: isCommit ? 'PrepareCommit' : 'PrepareAbort', lastUpdateMs: nowMs };
}

/** The prepared transaction when all its partitions know. */
export function completed(content: TransactionContent, nowMs: number): TransactionContent {
  const state = content.state === 'PrepareCommit' ? 'CompleteCommit' : 'CompleteAbort';
  return { ...content, state, partitions: NO_PARTITIONS, lastUpdateMs: nowMs };
}

/** It has been open for longer than its producer had wanted. */
export function hasTimedOut({ content, isPending }: Known, nowMs: number): boolean {
  return !isPending && content.state === 'Ongoing' && content.startMs + content.timeoutMs < nowMs;
}

/** Its producer has not been heard of for so long that the id may be forgotten. */
export function hasExpired({ content, isPending }: Known, nowMs: number, expirationMs: number): boolean {
  return !isPending && isSettled(content.state) && content.lastUpdateMs <= nowMs - expirationMs;
}
