import * as batch from '../../shared/records/batch.ts';
import type { Clock } from '../../shared/runtime/clock.ts';
import type { FileSystem } from '../../shared/runtime/file-system.ts';
import type { LeaderAppendOptions } from './leader-append.ts';
import { PendingProducers } from './pending-producers.ts';
import type { ProducerEntry, WrittenBatch } from './producer-entry.ts';
import type { ProducerMemory } from './producer-memory.ts';
import { CorruptSnapshotError, decodeSnapshot, encodeSnapshot } from './producer-snapshot.ts';
import { snapshotOffsets, snapshotPath } from './producer-snapshot-files.ts';
import { isExpired, ProducerStates } from './producer-states.ts';
import type { AbortedTransaction } from './transaction-index.ts';
import type { VerificationGuard } from './verification-guards.ts';

/** What the producer states of all logs of a broker share. */
export interface ProducerSettings {
  /** `producer.id.expiration.ms`; asked for anew each time, as it may change. */
  readonly expirationMs: () => number;
  readonly memory: ProducerMemory;
}

const NONE_ABORTED: readonly AbortedTransaction[] = [];

/**
 * What a log knows of its idempotent producers, and the snapshots of it (Kafka: `ProducerStateManager`). The state is
 * always that of the log up to `endOffset`; a snapshot named N tells it for the log up to N, so that after a crash only
 * what follows the newest snapshot has to be read again.
 */
export class ProducerStateManager {
  readonly #fs: FileSystem;
  readonly #clock: Clock;
  readonly #settings: ProducerSettings;
  readonly #states: ProducerStates;
  readonly #pending: PendingProducers;
  #endOffset = 0;
  #lastSnapshot = 0;
  /** Offsets of snapshots that may not have reached the device. */
  #unsynced: number[] = [];

  constructor(fs: FileSystem, clock: Clock, settings: ProducerSettings) {
    this.#fs = fs;
    this.#clock = clock;
    this.#settings = settings;
    this.#states = new ProducerStates(settings.memory);
    this.#pending = new PendingProducers(this.#states);
  }

  /** The state is that of the log below this offset. */
  get endOffset(): number {
    return this.#endOffset;
  }

  get isEmpty(): boolean {
    return this.#states.size === 0;
  }

  get byId(): ReadonlyMap<number, ProducerEntry> {
    return this.#states.byId;
  }

  entries(): Iterable<ProducerEntry> {
    return this.#states.entries();
  }

  /** From here on transactions are undecided, or may become so again; Infinity when there is none. */
  get firstUnstableOffset(): number {
    return this.#states.transactions.firstUnstable;
  }

  /** See `OpenTransactions`. */
  get oldestLastWriteMs(): number | null {
    return this.#states.transactions.oldestLastWriteMs;
  }

  /** The log's high watermark is this. */
  replicatedUpTo(highWatermark: number): void {
    this.#states.transactions.replicatedUpTo(highWatermark);
  }

  // --- appends -----------------------------------------------------------------------------------------------------

  /** See `PendingProducers.take`. */
  take(bytes: Buffer, options: LeaderAppendOptions): WrittenBatch | null {
    return this.#pending.take(bytes, options);
  }

  /** See `PartitionLog.beginVerification`. */
  beginVerification(producerId: number, epoch: number, sequence: number): VerificationGuard | null {
    return this.#pending.beginVerification(producerId, epoch, sequence, this.#clock.now());
  }

  /** Another broker leads: what was verified with this one does not count any more. */
  dropVerifications(): void {
    this.#pending.guards.clear();
  }

  /**
   * Batches have been written, the last of which ends before `endOffset`.
   * @returns the transactions that they abort, for the transaction index
   */
  written(bytes: Buffer, endOffset: number): readonly AbortedTransaction[] {
    let aborted = NONE_ABORTED;
    for (let at = 0; at < bytes.length; at += batch.batchSizeInBytes(bytes, at)) {
      const entry = this.#states.apply(bytes, at);
      if (entry !== null) aborted = [...aborted, entry];
      this.#pending.written(bytes, at);
    }
    this.#endOffset = endOffset;
    return aborted;
  }

  /** What waited to be written never will be. */
  dropPending(): void {
    this.#pending.clear();
  }

  removeExpired(): void {
    const [now, expirationMs] = [this.#clock.now(), this.#settings.expirationMs()];
    this.#states.removeExpired(now, expirationMs);
    this.#pending.guards.removeExpired(now, expirationMs);
  }

  // --- snapshots ---------------------------------------------------------------------------------------------------

  /**
   * Writes a snapshot, unless there is one of the same offset or a later one. Whoever was not flushed to the device when
   * the power goes is found damaged by its checksum, and costs reading more of the log.
   * @param endOffset at or above `endOffset` here, with no batch in between
   * @throws the file system's error
   */
  takeSnapshot(directory: string, endOffset: number): void {
    this.#endOffset = endOffset;
    if (endOffset <= this.#lastSnapshot) return;
    const content = encodeSnapshot(this.#states.entries(), this.#states.size);
    this.#fs.writeFile(snapshotPath(directory, endOffset), content);
    this.#lastSnapshot = endOffset;
    this.#unsynced.push(endOffset);
  }

  /** Offsets of snapshots that are to be flushed to the device; they are the caller's business from here on. */
  takeUnsynced(): readonly number[] {
    const offsets = this.#unsynced;
    this.#unsynced = [];
    return offsets;
  }

  /**
   * Goes back to the newest usable snapshot at or below `endOffset`, or to nothing, unless the state is that of
   * `endOffset` already. Snapshots that are damaged, beyond the end or at or before the start are removed.
   * @returns whether a snapshot was read
   */
  reload(directory: string, logStartOffset: number, endOffset: number): boolean {
    const offsets = snapshotOffsets(this.#fs, directory);
    const usable = offsets.filter(offset => offset > logStartOffset && offset <= endOffset);
    for (const offset of offsets) if (!usable.includes(offset)) this.#removeSnapshot(directory, offset);
    if (endOffset === this.#endOffset) {
      this.#lastSnapshot = usable.at(-1) ?? logStartOffset;
      return false;
    }
    this.#states.clear();
    let newest = usable.pop();
    while (newest !== undefined && !this.#load(directory, newest)) newest = usable.pop();
    this.#endOffset = this.#lastSnapshot = newest ?? logStartOffset;
    return newest !== undefined;
  }

  #load(directory: string, offset: number): boolean {
    try {
      const now = this.#clock.now();
      const expirationMs = this.#settings.expirationMs();
      const entries = decodeSnapshot(this.#fs.readFile(snapshotPath(directory, offset)));
      this.#states.load(entries.filter(entry => !isExpired(entry, now, expirationMs)));
      return true;
    } catch (error) {
      if (!(error instanceof CorruptSnapshotError)) throw error;
      this.#removeSnapshot(directory, offset);
      return false;
    }
  }

  #removeSnapshot(directory: string, offset: number): void {
    this.#fs.removeFileSync(snapshotPath(directory, offset));
  }

  /**
   * Takes the batch at `at` in, as the log is read from `endOffset` on; those before count already.
   * @returns what the transaction index is to tell of it, if it aborts a transaction
   */
  replay(bytes: Buffer, at: number): AbortedTransaction | null {
    if (batch.lastOffset(bytes, at) < this.#endOffset) return null;
    const aborted = this.#states.apply(bytes, at);
    this.#endOffset = batch.lastOffset(bytes, at) + 1;
    return aborted;
  }

  /** The log begins anew, empty, at `offset`. */
  restartAt(directory: string, offset: number): void {
    this.#states.clear();
    this.#pending.clear();
    for (const old of snapshotOffsets(this.#fs, directory)) this.#removeSnapshot(directory, old);
    this.#endOffset = this.#lastSnapshot = offset;
  }

  /** The log is not used any more. */
  close(): void {
    this.#pending.clear();
    this.#states.close();
  }
}
