import { ErrorCode } from '../../shared/protocol/errors.ts';
import type { Timers } from '../../shared/runtime/clock.ts';
import type { Logger } from '../../shared/runtime/logger.ts';
import { byTopic, partitionKey, type TopicPartition } from '../../shared/topics/topic-partition.ts';
import { partitionsOf } from './partition-sets.ts';
import type { MarkerAnswer, MarkerEntry, MarkerSender } from './ports.ts';
import type { OwnedPartition } from './registry.ts';
import type { Transaction } from './transaction.ts';

/** A transaction whose outcome is decided, on its way to its partitions. */
export interface Ending {
  readonly owner: OwnedPartition;
  readonly transaction: Transaction;
  readonly isCommit: boolean;
}

export interface MarkersParts {
  readonly sender: MarkerSender;
  readonly timers: Timers;
  readonly logger: Logger;
  /** Whether this is still its coordinator. */
  readonly isCurrent: (ending: Ending) => boolean;
  /** All partitions know the outcome. */
  readonly onTold: (ending: Ending) => void;
}

/** Markers of one transaction for partitions that one broker leads. */
interface Batch {
  readonly ending: Ending;
  readonly partitions: readonly TopicPartition[];
}

/** One broker's turn: a request under way, and what waits for the next one. */
interface Queue {
  readonly waiting: Batch[];
  isSending: boolean;
}

/** Pause before a leader is looked for, or asked, again. */
const RETRY_MS = 100;
/** Partitions told in one request, at most, but for one transaction that has more. */
const MAX_PARTITIONS = 5000;

/** The transaction has a newer coordinator, or its producer id has: this one has nothing to tell any more. */
const FENCED: readonly ErrorCode[] = [ErrorCode.INVALID_PRODUCER_EPOCH, ErrorCode.TRANSACTION_COORDINATOR_FENCED];
/** The partition knows, or never can. */
const DONE: readonly ErrorCode[] = [
  ErrorCode.NONE,
  ErrorCode.UNSUPPORTED_FOR_MESSAGE_FORMAT,
  ErrorCode.UNSUPPORTED_VERSION,
];
/** What a partition that is being moved, or has too few replicas, answers. */
const EXPECTED: readonly ErrorCode[] = [
  ErrorCode.UNKNOWN_TOPIC_OR_PARTITION,
  ErrorCode.NOT_LEADER_OR_FOLLOWER,
  ErrorCode.NOT_ENOUGH_REPLICAS,
  ErrorCode.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
  ErrorCode.REQUEST_TIMED_OUT,
  ErrorCode.KAFKA_STORAGE_ERROR,
];

/**
 * Tells the leaders of partitions how transactions have ended (Kafka: `TransactionMarkerChannelManager`). Each broker has
 * one request under way; what comes meanwhile goes with the next one. A partition is told again and again, wherever its
 * leader is by then, until it knows:
 *
 *     send ─→ leader? ─┬→ queue of that broker ─→ request ─┬→ told ─→ all told: onTold
 *               ↑      ├→ there is none: a pause ──┐       ├→ no answer, moved, too few replicas ──┐
 *               │      └→ deleted: told            │       └→ fenced: given up                     │
 *               └──────────────────────────────────┴─────────── a pause ───────────────────────────┘
 */
export class Markers {
  readonly #parts: MarkersParts;
  readonly #queues = new Map<number, Queue>();
  #resting: Batch[] = [];
  #isResting = false;
  #unknownLeaders = 0;
  #isClosed = false;

  constructor(parts: MarkersParts) {
    this.#parts = parts;
  }

  /** Partitions whose leader was not known when it was last looked for. */
  get unknownLeaders(): number {
    return this.#unknownLeaders;
  }

  /** Tells the partitions that the transaction has now. */
  send(ending: Ending): void {
    this.#route({ ending, partitions: [...partitionsOf(ending.transaction.content.partitions)] });
    this.#settleIfTold(ending);
  }

  /** Sends nothing any more. */
  close(): void {
    this.#isClosed = true;
    this.#resting = [];
    this.#queues.clear();
    this.#parts.sender.close();
  }

  #route({ ending, partitions }: Batch): void {
    const byLeader = new Map<number | 'deleted' | null, TopicPartition[]>();
    for (const partition of partitions) {
      const leader = this.#parts.sender.leaderOf(partition.topic, partition.partition);
      const ofLeader = byLeader.get(leader);
      if (ofLeader === undefined) byLeader.set(leader, [partition]);
      else ofLeader.push(partition);
    }
    for (const [leader, ofLeader] of byLeader) {
      if (leader === 'deleted') ending.transaction.partitionsTold(ofLeader);
      else if (leader === null) {
        this.#unknownLeaders += ofLeader.length;
        this.#rest({ ending, partitions: ofLeader });
      } else this.#enqueue(leader, { ending, partitions: ofLeader });
    }
  }

  #enqueue(brokerId: number, batch: Batch): void {
    let queue = this.#queues.get(brokerId);
    if (queue === undefined) this.#queues.set(brokerId, (queue = { waiting: [], isSending: false }));
    queue.waiting.push(batch);
    if (queue.isSending) return;
    queue.isSending = true;
    // At the end of the turn: transactions that end together are told together.
    this.#parts.timers.endOfTurn(() => void this.#drain(brokerId, queue));
  }

  async #drain(brokerId: number, queue: Queue): Promise<void> {
    while (!this.#isClosed) {
      const batches = takeSome(queue.waiting).filter(({ ending }) => this.#parts.isCurrent(ending));
      if (batches.length > 0) await this.#request(brokerId, batches);
      if (queue.waiting.length === 0) break;
    }
    queue.isSending = false;
    if (this.#queues.get(brokerId) === queue) this.#queues.delete(brokerId);
  }

  async #request(brokerId: number, batches: readonly Batch[]): Promise<void> {
    let answers: readonly MarkerAnswer[] = [];
    try {
      answers = await this.#parts.sender.send(brokerId, batches.map(entryOf));
    } catch (error) {
      this.#parts.logger.debug(
        { err: error, brokerId },
        'markers of transactions could not be sent; sending them again',
      );
    }
    if (this.#isClosed) return;
    const codes = new Map(answers.map(({ producerId, topics }) => [producerId, codesOf(topics)]));
    for (const batch of batches) {
      const { ending } = batch;
      if (this.#parts.isCurrent(ending)) this.#answered(batch, codes.get(ending.transaction.content.producerId));
    }
  }

  /** @param codes of its partitions by their text form; what is not in there has not been answered */
  #answered({ ending, partitions }: Batch, codes: ReadonlyMap<string, ErrorCode> | undefined): void {
    const codeOf = ({ topic, partition }: TopicPartition) =>
      codes?.get(partitionKey(topic, partition)) ?? ErrorCode.REQUEST_TIMED_OUT;
    const { transaction } = ending;
    const fenced = partitions.find(partition => FENCED.includes(codeOf(partition)));
    if (fenced !== undefined) {
      this.#parts.logger.info(
        { transactionalId: transaction.transactionalId, ...fenced },
        'a transaction has a newer coordinator or producer epoch: its markers are not sent any more',
      );
      return;
    }
    transaction.partitionsTold(partitions.filter(partition => DONE.includes(codeOf(partition))));
    const again = partitions.filter(partition => !DONE.includes(codeOf(partition)));
    for (const partition of again) this.#tellOfSurprise(partition, codeOf(partition));
    if (again.length > 0) this.#rest({ ending, partitions: again });
    this.#settleIfTold(ending);
  }

  #tellOfSurprise(partition: TopicPartition, errorCode: ErrorCode): void {
    if (EXPECTED.includes(errorCode)) return;
    this.#parts.logger.error({ ...partition, errorCode }, 'a marker was refused unexpectedly; sending it again');
  }

  #settleIfTold(ending: Ending): void {
    if (ending.transaction.content.partitions.size === 0) this.#parts.onTold(ending);
  }

  #rest(batch: Batch): void {
    this.#resting.push(batch);
    if (this.#isResting) return;
    this.#isResting = true;
    this.#parts.timers.after(RETRY_MS, () => this.#wake());
  }

  #wake(): void {
    const rested = this.#resting;
    this.#resting = [];
    this.#isResting = false;
    this.#unknownLeaders = 0;
    for (const batch of rested) {
      if (!this.#parts.isCurrent(batch.ending)) continue;
      this.#route(batch);
      this.#settleIfTold(batch.ending);
    }
  }
}

function takeSome(waiting: Batch[]): Batch[] {
  let count = 0;
  let partitions = 0;
  while (count < waiting.length && (count === 0 || partitions + waiting[count]!.partitions.length <= MAX_PARTITIONS))
    partitions += waiting[count++]!.partitions.length;
  return waiting.splice(0, count);
}

function entryOf({ ending: { owner, transaction, isCommit }, partitions }: Batch): MarkerEntry {
  const { producerId, producerEpoch } = transaction.content;
  const topics = Array.from(byTopic(partitions), ([name, ofTopic]) => ({
    name,
    partitionIndexes: ofTopic.map(({ partition }) => partition),
  }));
  return { producerId, producerEpoch, transactionResult: isCommit, topics, coordinatorEpoch: owner.coordinatorEpoch };
}

function codesOf(topics: MarkerAnswer['topics']): ReadonlyMap<string, ErrorCode> {
  return new Map(
    topics.flatMap(({ name, partitions }) =>
      partitions.map(
        ({ partitionIndex, errorCode }) => [partitionKey(name, partitionIndex), errorCode as ErrorCode] as const,
      ),
    ),
  );
}
