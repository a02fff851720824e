import * as batch from '../../shared/records/batch.ts';
import { StorageError } from './errors.ts';
import type { LogState } from './log-state.ts';
import { mostAge, mustRoll } from './rolling.ts';
import { Segment } from './segment.ts';
import type { PendingWriter, WriteScheduler } from './write-scheduler.ts';

/** Bytes that go out in one gathered write. */
const MAX_WRITE = 1 << 20;
/** Buffers that go out in one gathered write: the kernel's IOV_MAX. */
const MAX_BUFFERS = 1024;

/** Checked entries with their final offsets. */
export interface WritableRecords {
  readonly bytes: Buffer;
  readonly firstOffset: number;
  readonly lastOffset: number;
  /** Largest timestamp in milliseconds, -1 when there is none. */
  readonly maxTimestamp: number;
}

interface WaitingRecords extends WritableRecords {
  readonly resolve: () => void;
  readonly reject: (error: StorageError) => void;
}

/**
 * Brings records into the log's files. Offsets are taken when records are handed in; the bytes go out at the end of the
 * loop turn, all that came in meanwhile in gathered writes, and only then does the log end offset move:
 *
 *     enqueue(A) enqueue(B)   end of turn             promises
 *     offsets 7-9, 10-12  ──► one writev of A+B  ──►  LEO = 13  ──► A and B resolve
 *
 * A failed write takes the directory offline: nothing that waited is written, all of it is rejected.
 */
export class LogWriter implements PendingWriter {
  readonly #state: LogState;
  readonly #scheduler: WriteScheduler;
  readonly #onRolled: (baseOffset: number) => void;
  #queue: WaitingRecords[] = [];
  #nextOffset: number;
  #isWriting = false;
  #background: Promise<void> = Promise.resolve();

  /** @param onRolled called when a segment was begun at `baseOffset`: what is before it should be flushed */
  constructor(state: LogState, scheduler: WriteScheduler, onRolled: (baseOffset: number) => void) {
    this.#state = state;
    this.#scheduler = scheduler;
    this.#onRolled = onRolled;
    this.#nextOffset = state.logEndOffset;
  }

  /** The offset that the next record gets: the log end offset when everything is written. */
  get nextOffset(): number {
    return this.#nextOffset;
  }

  /** Takes records that begin at or above `nextOffset`; resolves when they are written. */
  enqueue(records: WritableRecords): Promise<void> {
    this.#nextOffset = records.lastOffset + 1;
    return new Promise((resolve, reject) => {
      if (this.#queue.push({ ...records, resolve, reject }) === 1) this.#scheduler.schedule(this);
    });
  }

  /** Makes the next offset be `offset`: after a truncation, with nothing waiting. */
  restartAt(offset: number): void {
    this.#nextOffset = offset;
  }

  writeNow(): void {
    // What comes in during a background write is written by that.
    if (this.#isWriting) return;
    try {
      while (this.#queue.length > 0) {
        const group = this.#nextGroup();
        this.#state.io(() =>
          this.#state.segments.active.append(bytesOf(group), lengthOf(group), this.#state.indexLimits),
        );
        this.#complete(group);
      }
    } catch (error) {
      this.#fail(error);
    }
  }

  writeInBackground(): Promise<void> {
    if (!this.#isWriting) this.#background = this.#writeAll();
    return this.#background;
  }

  async #writeAll(): Promise<void> {
    const state = this.#state;
    this.#isWriting = true;
    try {
      while (this.#queue.length > 0) {
        const group = this.#nextGroup();
        state.requireOnline();
        await state.segments.active.appendInBackground(bytesOf(group), lengthOf(group), state.indexLimits);
        this.#complete(group);
      }
    } catch (error) {
      this.#fail(error);
    } finally {
      this.#isWriting = false;
    }
  }

  /** Resolves when nothing waits or is being written; until the caller awaits again, that stays so. */
  async quiesce(): Promise<void> {
    while (this.#isWriting) await this.#background;
    this.writeNow();
  }

  /** Begins a new segment if the first in the queue needs one, and says what fits into one write. */
  #nextGroup(): WaitingRecords[] {
    if (this.#needsRoll(this.#queue[0]!, 0)) this.roll(this.#queue[0]!.firstOffset);
    let length = 0;
    let count = 0;
    for (const records of this.#queue) {
      if (count > 0 && (length + records.bytes.length > MAX_WRITE || count === MAX_BUFFERS)) break;
      if (count > 0 && this.#needsRoll(records, length)) break;
      length += records.bytes.length;
      count++;
    }
    return this.#queue.slice(0, count);
  }

  #needsRoll(records: WritableRecords, before: number): boolean {
    const { config, segments, rollJitterMs, indexLimits, environment } = this.#state;
    const active = segments.active;
    return mustRoll({
      baseOffset: active.baseOffset,
      size: active.size + before,
      firstTimestamp: active.firstTimestamp ?? (before > 0 ? this.#queue[0]!.maxTimestamp : null),
      openedMs: active.openedMs,
      indexIsFull: active.activeIndexes.isFull(indexLimits),
      length: records.bytes.length,
      maxTimestamp: records.maxTimestamp,
      lastOffset: records.lastOffset,
      now: environment.clock.now(),
      maxSize: config['segment.bytes'],
      maxAgeMs: mostAge(config) - rollJitterMs,
    });
  }

  /** Begins a new segment at `baseOffset`, which is at or above the log end offset. Nothing may be under way. */
  roll(baseOffset: number): void {
    const { segments, environment, path, producers } = this.#state;
    const former = segments.active;
    // An empty active segment that would begin at the same offset is as good as a new one.
    if (former.size === 0 && former.baseOffset === baseOffset) return;
    this.#state.io(() => {
      former.seal();
      producers.takeSnapshot(path, baseOffset);
      segments.push(Segment.create(environment.resources, path, baseOffset, environment.clock.now()));
    });
    this.#onRolled(baseOffset);
  }

  #complete(group: readonly WaitingRecords[]): void {
    const state = this.#state;
    const first = group[0]!;
    const nextOffset = group.at(-1)!.lastOffset + 1;
    const length = lengthOf(group);
    const segment = state.segments.active;
    if (this.#noteEpochs(group)) state.io(() => state.saveEpochs());
    state.positions.note(first.firstOffset, segment, segment.size - length);
    state.positions.note(nextOffset, segment, segment.size);
    state.tail.append(state.logEndOffset, nextOffset, bytesOf(group), length);
    for (const { bytes, lastOffset } of group) this.#noteProducers(bytes, lastOffset + 1);
    this.#queue.splice(0, group.length);
    state.logEndOffset = nextOffset;
    for (const records of group) records.resolve();
  }

  #noteProducers(bytes: Buffer, endOffset: number): void {
    const { producers, segments } = this.#state;
    const aborted = producers.written(bytes, endOffset);
    if (aborted.length > 0) this.#state.io(() => segments.active.aborted.append(aborted));
  }

  /** Enters the batches' leader epochs where they are new; says whether any was. */
  #noteEpochs(group: readonly WaitingRecords[]): boolean {
    const { epochs } = this.#state;
    let changed = false;
    for (const { bytes } of group) {
      for (let at = 0; at < bytes.length; at += batch.batchSizeInBytes(bytes, at)) {
        // A log that goes on in a format without epochs cannot be compared by epochs.
        if (batch.magic(bytes, at) < 2) changed = epochs.clear() || changed;
        else if (epochs.assign(batch.partitionLeaderEpoch(bytes, at), batch.baseOffset(bytes, at))) changed = true;
      }
    }
    return changed;
  }

  #fail(error: unknown): void {
    const failure = this.#state.ioFailure(error);
    const waiting = this.#queue;
    this.#queue = [];
    this.#nextOffset = this.#state.logEndOffset;
    this.#state.producers.dropPending();
    for (const records of waiting) records.reject(failure);
  }
}

function bytesOf(group: readonly WaitingRecords[]): Buffer[] {
  return group.map(records => records.bytes);
}

function lengthOf(group: readonly WaitingRecords[]): number {
  return group.reduce((sum, records) => sum + records.bytes.length, 0);
}
