import type { LogManager, LogManagerSetup } from '../../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../../broker/storage/partition-log.ts';
import type { CleanerOptions } from '../../../../../broker/storage/storage-setup.ts';
import { BatchBuilder, type BatchOptions } from '../../../../../shared/records/batch-builder.ts';
import { BatchCursor } from '../../../../../shared/records/batch-cursor.ts';
import * as batch from '../../../../../shared/records/batch.ts';
import { RecordCursor } from '../../../../../shared/records/record-cursor.ts';
import type { FileSystem } from '../../../../../shared/runtime/file-system.ts';
import { InlineCleaning } from '../../../../support/inline-cleaning.ts';
import { waitFor } from '../../../../support/wait.ts';
import { type Fixture, ordersLog } from '../support.ts';

export const BACKOFF_MS = 10;

export const CLEANER_OPTIONS: CleanerOptions = {
  threads: 1,
  dedupeBufferBytes: 10 << 20,
  loadFactor: 0.9,
  ioBufferBytes: 1 << 10,
  backoffMs: BACKOFF_MS,
};

/** What makes a log manager compact, doing the work on the loop. */
export function cleaning(
  fs: FileSystem,
  options: Partial<CleanerOptions> = {},
): { readonly cleaner: NonNullable<LogManagerSetup['cleaner']> } {
  const turn = () => new Promise<void>(resolve => setImmediate(resolve));
  return {
    cleaner: { options: () => ({ ...CLEANER_OPTIONS, ...options }), executor: () => new InlineCleaning(fs, turn) },
  };
}

/** Lets the cleaner do what there is to do: until it finds nothing due twice. @param isOver or until then */
export async function cleanAll(f: Fixture, manager: LogManager, isOver = () => false): Promise<void> {
  const cleaner = manager.cleaner!;
  const isIdle = () => manager.allLogs().every(({ compaction }) => !compaction.isRunning);
  for (let quiet = 0; quiet < 2 && !isOver();) {
    const { cleanings, looks } = cleaner.statistics;
    const hasLooked = () => {
      f.time.advance(BACKOFF_MS);
      return isOver() || (cleaner.statistics.looks > looks && isIdle());
    };
    await waitFor('the cleaner to look', hasLooked, { everyMs: 0, timeoutMs: 5_000 });
    quiet = cleaner.statistics.cleanings === cleanings ? quiet + 1 : 0;
  }
}

export interface Put {
  readonly key: string;
  /** null: a tombstone. */
  readonly value: string | null;
  readonly timestamp?: number;
}

/** Appends a batch as the leader, and counts it as committed. */
export async function put(log: PartitionLog, puts: readonly Put[], options: BatchOptions = {}): Promise<void> {
  const builder = new BatchBuilder();
  for (const { key, value, timestamp = 5000 } of puts) {
    builder.append(timestamp, Buffer.from(key), value === null ? null : Buffer.from(value));
  }
  await log.appendAsLeader(builder.build(options), 0);
  log.updateHighWatermark(log.logEndOffset);
}

export interface Kept {
  readonly offset: number;
  readonly key: string;
  readonly value: string | null;
}

/** Everything in the log, as a follower gets it: the batches, one buffer each. */
export async function batchesOf(log: PartitionLog): Promise<Buffer[]> {
  const batches: Buffer[] = [];
  for (let offset = log.logStartOffset; offset < log.logEndOffset;) {
    const { records } = await log.read(offset, 1 << 20, { upperBound: 'logEnd', minOneMessage: true });
    if (records.length === 0) break;
    const bytes = Buffer.concat(records);
    const cursor = new BatchCursor().reset(bytes);
    while (cursor.next()) {
      batches.push(bytes.subarray(cursor.position, cursor.position + cursor.size));
      offset = batch.lastOffset(bytes, cursor.position) + 1;
    }
  }
  return batches;
}

/** The records in the log. */
export async function kept(log: PartitionLog): Promise<Kept[]> {
  const found: Kept[] = [];
  for (const bytes of await batchesOf(log)) {
    for (const cursor = new RecordCursor().reset(bytes); cursor.next();) {
      found.push({ offset: cursor.offset, key: String(cursor.key()), value: cursor.value()?.toString() ?? null });
    }
  }
  return found;
}

/** `offset key=value` of each record. */
export async function lines(log: PartitionLog): Promise<string[]> {
  return (await kept(log)).map(({ offset, key, value }) => `${offset} ${key}=${String(value)}`);
}

export { ordersLog };
