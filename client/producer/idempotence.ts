import { ErrorCode } from '../../shared/protocol/errors.ts';
import { partitionKey } from '../../shared/topics/topic-partition.ts';
import type { KafkaError } from '../errors.ts';
import type { PartitionQueue } from './accumulator.ts';
import type { ProducerBatch } from './batch.ts';
import type { SendOrder, Verdict } from './send-order.ts';
import { PartitionSequences, type ProducerIdentity } from './sequences.ts';

/** How many batches of a producer a broker remembers: behind more of them, a repeated one would not be recognised. */
const MOST_OPEN = 5;
const LAST_EPOCH = 32_767;

/**
 * Numbers batches, so that brokers append each once and in order, however often it is sent (KIP-98; Kafka's
 * `TransactionManager`, as far as it is for idempotent producers). Several batches of a partition may be on the way.
 * After an error they are sent again one by one, in order; when the first of them meets a gap in the numbers, which nothing
 * can close then, the partition's open batches are numbered anew under the next epoch (KIP-360), the producer's own to raise.
 *
 *     new ──► on the way ──acknowledged──►
 *                 │  ▲
 *                error│ alone, the first of those that are open
 *                 ▼  │
 *              waiting ──gap: nothing on the way──► numbered anew, epoch + 1
 */
export class Idempotence implements SendOrder {
  #identity: ProducerIdentity | null = null;
  readonly #partitions = new Map<string, PartitionSequences>();
  /** Partitions that have to begin anew, or to find out whether they must. */
  readonly #troubled = new Set<PartitionSequences>();
  #onGap: (() => void) | null = null;

  /** For producers whose epoch is their coordinator's to raise: calls back when numbering has to begin anew. */
  onGap(callback: () => void): void {
    this.#onGap = callback;
  }

  /** Whether a broker has to be asked for a producer id: at the beginning, and when epochs are used up. */
  get needsIdentity(): boolean {
    return this.#identity === null;
  }

  identify(identity: ProducerIdentity): void {
    this.#identity = identity;
  }

  /** Begins numbering anew where that is necessary and nothing is on the way; to be called before each look at the queues. */
  settle(): void {
    for (const partition of this.#troubled) {
      if (partition.onTheWay > 0) continue;
      resolve(partition);
      if (partition.mustRestart) this.#restart(partition);
      if (!partition.mustRestart && partition.unresolved === null) this.#troubled.delete(partition);
    }
  }

  #restart(partition: PartitionSequences): void {
    // Another partition may have raised the epoch already.
    if (this.#identity !== null && partition.identity === this.#identity) {
      if (this.#onGap !== null) {
        this.#onGap();
        return;
      }
      this.#identity = nextEpoch(this.#identity);
    }
    if (this.#identity !== null) partition.restart(this.#identity);
  }

  #of({ topic, partition }: PartitionQueue): PartitionSequences {
    const key = partitionKey(topic, partition);
    let sequences = this.#partitions.get(key);
    if (sequences === undefined) this.#partitions.set(key, (sequences = new PartitionSequences()));
    return sequences;
  }

  allows(queue: PartitionQueue, first: ProducerBatch): boolean {
    const partition = this.#of(queue);
    if (this.#identity === null || partition.mustRestart) return false;
    // Sent again, a batch goes alone: what is behind it would only be refused if it did not arrive.
    if (first.stamp !== null) return partition.onTheWay === 0;
    if (partition.unresolved !== null) return false;
    if (partition.identity !== this.#identity) return partition.numbered.length === 0;
    // A broker that has never heard of the producer takes whichever number comes first.
    return partition.span < (partition.hasBegun ? MOST_OPEN : 1);
  }

  leaves(queue: PartitionQueue, batch: ProducerBatch): void {
    const partition = this.#of(queue);
    if (batch.stamp === null) {
      if (partition.identity !== this.#identity) partition.restart(this.#identity!);
      partition.add(batch);
    }
    partition.onTheWay++;
  }

  acknowledged(queue: PartitionQueue, batch: ProducerBatch): void {
    const partition = this.#of(queue);
    partition.onTheWay--;
    partition.acknowledged(batch);
  }

  judge(queue: PartitionQueue, batch: ProducerBatch, { code }: KafkaError): Verdict {
    if (code === ErrorCode.DUPLICATE_SEQUENCE_NUMBER) return 'done';
    if (code !== ErrorCode.OUT_OF_ORDER_SEQUENCE_NUMBER && code !== ErrorCode.UNKNOWN_PRODUCER_ID)
      return 'as the error says';
    const partition = this.#of(queue);
    // Later ones were acknowledged: the broker only does not remember this one any more.
    if (partition.isPassed(batch)) return 'done';
    // One before it may be in the log, its answer lost: under another epoch it would be written a second time. So it is
    // sent again under the number that it has, and what comes of that is waited for before anything begins anew.
    if (partition.isFirstOpen(batch)) {
      partition.mustRestart = true;
      this.#troubled.add(partition);
    }
    return 'again';
  }

  returned(queue: PartitionQueue): void {
    this.#of(queue).onTheWay--;
  }

  split(queue: PartitionQueue, batch: ProducerBatch, parts: readonly ProducerBatch[]): void {
    const partition = this.#of(queue);
    partition.onTheWay--;
    partition.replace(batch, parts);
  }

  failed(queue: PartitionQueue, batch: ProducerBatch, wasOnTheWay: boolean): void {
    if (batch.stamp === null) return;
    const partition = this.#of(queue);
    if (wasOnTheWay) partition.onTheWay--;
    partition.failed(batch);
    this.#troubled.add(partition);
  }
}

function nextEpoch({ id, epoch }: ProducerIdentity): ProducerIdentity | null {
  return epoch === LAST_EPOCH ? null : { id, epoch: epoch + 1 };
}

/**
 * When nothing is open any more, it is clear whether the batches that failed matter: if a later one was acknowledged, the
 * broker has them; if not, it may be waiting for their numbers.
 */
function resolve(partition: PartitionSequences): void {
  if (partition.unresolved === null || partition.numbered.length > 0) return;
  partition.unresolved = null;
  if (!partition.isComplete) partition.mustRestart = true;
}
