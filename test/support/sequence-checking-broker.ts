/* oxlint-disable typescript/no-explicit-any -- the scripted cluster's requests are not typed */
import { checkClientBatch } from '../../broker/storage/producer-checks.ts';
import { readProducerBatch } from '../../broker/storage/producer-batches.ts';
import { ProducerEntry } from '../../broker/storage/producer-entry.ts';
import { ErrorCode } from '../../shared/protocol/errors.ts';
import { Produce } from '../../shared/protocol/messages/produce.ts';
import * as batch from '../../shared/records/batch.ts';
import { RecordCursor } from '../../shared/records/record-cursor.ts';
import type { ScriptedCluster } from './scripted-cluster.ts';

/** A produce of one partition, as it arrived. */
export interface Arrival {
  readonly broker: number;
  readonly partition: number;
  readonly producerId: number;
  readonly epoch: number;
  readonly sequence: number;
  readonly isTransactional: boolean;
  readonly values: readonly string[];
}

/** What happens to an arrival: an error instead of the append, or after it. */
export type Fate = { readonly errorCode?: number } | null;

/**
 * The leaders of a scripted cluster as far as producers see them: one log a partition, with the broker's own checks of
 * sequences.
 */
export class SequenceCheckingBroker {
  readonly arrivals: Arrival[] = [];
  readonly #cluster: ScriptedCluster;
  readonly #logs = new Map<number, string[]>();
  readonly #producers = new Map<string, ProducerEntry>();
  /** Asked for each arrival, in order; its error is answered and nothing appended. */
  onArrival: (arrival: Arrival, n: number) => Fate = () => null;
  /** Around the answering of a request: may wait, or throw so that the answer, or with `before` the request, is lost. */
  before: () => Promise<void> | void = () => {};
  after: () => Promise<void> | void = () => {};

  constructor(cluster: ScriptedCluster) {
    this.#cluster = cluster;
    cluster.on(Produce, (request, broker) => this.#produce(request, broker));
  }

  /** The values of a partition, in order. */
  log(partition = 0): string[] {
    return this.#logs.get(partition) ?? [];
  }

  /** Forgets the producers, as after their expiry. */
  forgetProducers(): void {
    this.#producers.clear();
  }

  async #produce(request: any, broker: number): Promise<any> {
    const before = this.before();
    if (before !== undefined) await before;
    const responses = request.topicData.map(({ name, partitionData }: any) => ({
      name,
      partitionResponses: partitionData.map(({ index, records }: any) => this.#partition(broker, index, records)),
    }));
    const after = this.after();
    if (after !== undefined) await after;
    return { throttleTimeMs: 0, nodeEndpoints: [], responses };
  }

  #partition(broker: number, partition: number, records: Buffer): any {
    const arrival = {
      broker,
      partition,
      producerId: batch.producerId(records, 0),
      epoch: batch.producerEpoch(records, 0),
      sequence: batch.baseSequence(records, 0),
      isTransactional: batch.isTransactional(records, 0),
      values: valuesOf(records),
    };
    this.arrivals.push(arrival);
    const errorCode = this.onArrival(arrival, this.arrivals.length)?.errorCode ?? this.#leaderError(broker, partition);
    const outcome = errorCode === ErrorCode.NONE ? this.#append(partition, records, arrival.values) : { errorCode };
    return {
      index: partition,
      baseOffset: -1,
      logAppendTimeMs: -1,
      logStartOffset: 0,
      recordErrors: [],
      errorMessage: null,
      ...outcome,
    };
  }

  #leaderError(broker: number, partition: number): number {
    return this.#cluster.leaders[partition] === broker ? ErrorCode.NONE : ErrorCode.NOT_LEADER_OR_FOLLOWER;
  }

  #append(partition: number, records: Buffer, values: readonly string[]) {
    if (!batch.crcIsValid(records, 0)) return { errorCode: ErrorCode.CORRUPT_MESSAGE };
    const log = this.#logs.get(partition) ?? [];
    this.#logs.set(partition, log);
    if (batch.producerId(records, 0) >= 0) {
      const verdict = this.#check(partition, records, log.length);
      if (verdict !== null) return verdict;
    }
    const baseOffset = log.length;
    log.push(...values);
    return { errorCode: ErrorCode.NONE, baseOffset };
  }

  #check(partition: number, records: Buffer, nextOffset: number) {
    const key = `${partition}/${batch.producerId(records, 0)}`;
    const entry = this.#producers.get(key) ?? new ProducerEntry(batch.producerId(records, 0));
    const [epoch, firstSequence] = [batch.producerEpoch(records, 0), batch.baseSequence(records, 0)];
    const duplicate = entry.find(epoch, firstSequence, batch.lastSequence(records, 0));
    if (duplicate !== null) return { errorCode: ErrorCode.NONE, baseOffset: duplicate.firstOffset };
    try {
      checkClientBatch(entry, { epoch, firstSequence, isTransactional: false });
    } catch (error) {
      return { errorCode: ErrorCode[(error as { kind: keyof typeof ErrorCode }).kind] };
    }
    const lastOffset = nextOffset + batch.recordCount(records, 0) - 1;
    // Of transactions their coordinator keeps account.
    entry.append({ ...readProducerBatch(records, 0), lastOffset, isTransactional: false });
    this.#producers.set(key, entry);
    return null;
  }
}

function valuesOf(records: Buffer): string[] {
  const cursor = new RecordCursor().reset(records);
  const all: string[] = [];
  while (cursor.next()) all.push(cursor.value()!.toString());
  return all;
}
