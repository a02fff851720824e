import { RecordsError } from '../../../shared/records/errors.ts';
import type { FileSystem } from '../../../shared/runtime/file-system.ts';
import { LOG_SUFFIX, segmentFileName, TRANSACTION_INDEX_SUFFIX } from '../file-names.ts';
import { type AbortedTransaction, decodeTransactionIndex } from '../transaction-index.ts';
import { BatchFilter, type FilterCounts } from './batch-filter.ts';
import { CleanedFile } from './cleaned-file.ts';
import { CleanedTransactions } from './cleaned-transactions.ts';
import { buildMap } from './map-building.ts';
import { OffsetMap, slotsFor } from './offset-map.ts';
import type { FateRules } from './record-fate.ts';
import type { CleanedGroup, CleaningSteps, GroupOrder, MapOrder, SourceSegment } from './steps.ts';
import { type SourceFile, walk, type Work } from './work.ts';

/**
 * The cleaning of logs, one after the other, as far as it reads and writes their files (Kafka: `Cleaner`). It decides
 * nothing about which log or which segments, and touches nothing but files with the mark `.cleaned`.
 */
export class CleaningSession {
  readonly #fs: FileSystem;
  #map: OffsetMap | null = null;
  #transactions = new CleanedTransactions([]);

  constructor(fs: FileSystem) {
    this.#fs = fs;
  }

  /** Begins a step of the cleaning of a log. */
  perform<K extends keyof CleaningSteps>(step: K, order: CleaningSteps[K]['order']): Work<CleaningSteps[K]['result']> {
    const steps: {
      readonly [S in keyof CleaningSteps]: (order: CleaningSteps[S]['order']) => Work<CleaningSteps[S]['result']>;
    } = {
      map: toMap => this.#readKeys(toMap),
      group: group => this.#clean(group),
      finish: ({ directory }) => this.#finish(directory),
    };
    return steps[step](order);
  }

  *#readKeys(order: MapOrder): Work<{ latestOffset: number; keys: number; slots: number }> {
    const { directory, segments, startOffset, endOffset, memoryBytes, loadFactor, chunk } = order;
    this.#map = null;
    const aborted = this.#abortedTransactions(directory, order.allBaseOffsets);
    this.#transactions = new CleanedTransactions(aborted);
    const map = new OffsetMap(slotsFor(endOffset - startOffset, memoryBytes, loadFactor));
    const mostKeys = Math.max(1, Math.floor(map.slots * loadFactor));
    const dirty = segments.map((segment, i) => ({
      ...fileOf(directory, segment),
      endOffset: segments[i + 1]?.baseOffset ?? endOffset,
    }));
    const begun = aborted.filter(({ lastOffset }) => lastOffset >= (segments[0]?.baseOffset ?? 0));
    const part = { segments: dirty, startOffset, mostKeys, chunk };
    yield* buildMap(this.#fs, map, part, new CleanedTransactions(begun));
    if (map.latestOffset < startOffset) {
      throw new RecordsError(
        'TOO_LARGE',
        `The keys of the batch at offset ${startOffset} do not fit into the ${memoryBytes} bytes of ` +
          'log.cleaner.dedupe.buffer.size for each of the log.cleaner.threads.',
      );
    }
    this.#map = map;
    return { latestOffset: map.latestOffset, keys: map.size, slots: map.slots };
  }

  /** Markers may stand in later segments than the data of their transactions. */
  #abortedTransactions(directory: string, baseOffsets: readonly number[]): AbortedTransaction[] {
    return baseOffsets.flatMap(baseOffset => {
      const path = `${directory}/${segmentFileName(baseOffset, TRANSACTION_INDEX_SUFFIX)}`;
      return this.#fs.exists(path) ? decodeTransactionIndex(this.#fs.readFile(path)) : [];
    });
  }

  *#clean(order: GroupOrder): Work<CleanedGroup> {
    const { directory, sources, limits, chunk } = order;
    const counts: FilterCounts = { recordsRead: 0, recordsKept: 0, keyless: 0 };
    const filter = new BatchFilter(counts);
    const target = new CleanedFile(this.#fs, directory, sources[0]!.baseOffset, limits, chunk);
    let isFinished = false;
    let modifiedMs = 0;
    try {
      for (const source of sources) {
        const file = fileOf(directory, source);
        modifiedMs = this.#fs.stat(file.path)?.modifiedMs ?? 0;
        yield* this.#copy(file, target, filter, this.#rules(order, modifiedMs), chunk);
      }
      target.finish(this.#transactions.takeRetained(), modifiedMs);
      isFinished = true;
    } finally {
      if (!isFinished) target.discard();
    }
    return { size: target.size, ...counts };
  }

  #rules(order: GroupOrder, modifiedMs: number): FateRules {
    return {
      map: this.#map!,
      transactions: this.#transactions,
      now: order.now,
      deleteRetentionMs: order.deleteRetentionMs,
      keepsLegacyTombstones: modifiedMs > order.legacyHorizonMs,
      producers: new Map(order.producers.map(producer => [producer.producerId, producer])),
      roundEnd: order.roundEnd,
    };
  }

  *#copy(file: SourceFile, target: CleanedFile, filter: BatchFilter, rules: FateRules, chunk: number): Work<void> {
    let written = target.size;
    for (
      const step = walk(this.#fs, file, chunk, (buffer, at) => {
        const kept = filter.filter(buffer, at, rules);
        if (kept !== null) target.append(kept);
        return 'go on';
      });
      ;
    ) {
      const { done, value } = step.next();
      if (done) return;
      yield value + target.size - written;
      written = target.size;
    }
  }

  // What has come into place must be there after a loss of power before the log counts as cleaned.
  *#finish(directory: string): Work<null> {
    this.#map = null;
    this.#transactions = new CleanedTransactions([]);
    yield 0;
    this.#fs.syncDirectory(directory);
    return null;
  }
}

function fileOf(directory: string, { baseOffset, size }: SourceSegment): SourceFile {
  return { path: `${directory}/${segmentFileName(baseOffset, LOG_SUFFIX)}`, size };
}
