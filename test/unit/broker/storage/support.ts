import { DEFAULT_STORAGE_OPTIONS, LogManager, type LogManagerSetup } from '../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { BatchBuilder, type BatchOptions } from '../../../../shared/records/batch-builder.ts';
import { BatchCursor } from '../../../../shared/records/batch-cursor.ts';
import { RecordCursor } from '../../../../shared/records/record-cursor.ts';
import type { Clock, Timer, Timers } from '../../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { BUILT_IN_TOPIC_CONFIG, type TopicConfigValues } from '../../../../shared/topics/topic-config.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** Time that moves only when told to; the end of a turn is a real one. */
export class ManualTime implements Clock, Timers {
  #now = 1_700_000_000_000;
  #timers: { at: number; run: () => void }[] = [];

  now(): number {
    return this.#now;
  }

  monotonic(): number {
    return this.#now;
  }

  after(delayMs: number, callback: () => void): Timer {
    const entry = { at: this.#now + delayMs, run: callback };
    this.#timers.push(entry);
    return { cancel: () => void (this.#timers = this.#timers.filter(other => other !== entry)) };
  }

  every(periodMs: number, callback: () => void, initialDelayMs = periodMs): Timer {
    let timer: Timer;
    const again = () => {
      timer = this.after(periodMs, again);
      callback();
    };
    timer = this.after(initialDelayMs, again);
    return { cancel: () => timer.cancel() };
  }

  endOfTurn(callback: () => void): void {
    setImmediate(callback);
  }

  async sleep(delayMs: number, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    return new Promise((resolve, reject) => {
      const timer = this.after(delayMs, resolve);
      signal?.addEventListener('abort', () => {
        timer.cancel();
        reject(signal.reason as Error);
      });
    });
  }

  /** Moves time on, running what becomes due, in order. */
  advance(ms: number): void {
    const end = this.#now + ms;
    for (;;) {
      const due = this.#timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at)[0];
      if (due === undefined) break;
      this.#timers = this.#timers.filter(other => other !== due);
      this.#now = Math.max(this.#now, due.at);
      due.run();
    }
    this.#now = end;
  }
}

export interface Fixture {
  readonly fs: MemoryFileSystem;
  readonly time: ManualTime;
  /** Settings of all topics; `open` and `manager.updateTopicConfig` read them. */
  config: TopicConfigValues;
  readonly failures: string[];
  open(overrides?: Partial<LogManagerSetup>): Promise<LogManager>;
}

/** Log managers on one memory disk. */
export function fixture(config: Partial<TopicConfigValues> = {}, seed = 1): Fixture {
  const random = seededRandom(seed);
  const time = new ManualTime();
  const result: Fixture = {
    fs: new MemoryFileSystem({ random, now: () => time.now() }),
    time,
    config: { ...BUILT_IN_TOPIC_CONFIG, ...config },
    failures: [],
    open: overrides =>
      LogManager.open({
        fs: result.fs,
        clock: time,
        timers: time,
        random,
        logger: silentLogger,
        directories: ['/data'],
        options: { ...DEFAULT_STORAGE_OPTIONS, longestBlockingRead: 0 },
        topicConfig: () => result.config,
        brokerId: 1,
        clusterId: 'oVf2zRjJQIupaA0fXAUBLw',
        onDirectoryFailure: directory => result.failures.push(directory),
        ...overrides,
      }),
  };
  return result;
}

export const TOPIC_ID = 'fRdKkNXPQ3iNVlOqkYIyRA';

/** The log of `orders-0`, made if need be. */
export function ordersLog(manager: LogManager): PartitionLog {
  return manager.getOrCreateLog('orders', 0, { topicId: TOPIC_ID, isNew: true });
}

export interface TestRecord {
  readonly key?: string | null;
  readonly value?: string;
  readonly timestamp?: number;
}

/** A producer's batch. */
export function batchOf(records: readonly (TestRecord | string)[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder();
  for (const record of records) {
    const { key = null, value = '', timestamp = 1000 } = typeof record === 'string' ? { value: record } : record;
    builder.append(timestamp, key === null ? null : Buffer.from(key), Buffer.from(value));
  }
  return builder.build(options);
}

export interface ReadRecord {
  readonly offset: number;
  readonly value: string;
}

/** The records in batches that were read. */
export function recordsIn(buffers: readonly Buffer[]): ReadRecord[] {
  const bytes = Buffer.concat(buffers);
  const records: ReadRecord[] = [];
  const cursor = new BatchCursor().reset(bytes);
  while (cursor.next()) {
    const record = new RecordCursor().reset(bytes, cursor.position);
    while (record.next()) records.push({ offset: record.offset, value: record.value()?.toString() ?? '' });
  }
  return records;
}

/** Everything a follower could read from `from` on. */
export async function readAll(log: PartitionLog, from = log.logStartOffset): Promise<ReadRecord[]> {
  const records: ReadRecord[] = [];
  for (let offset = from; ;) {
    const { records: buffers } = await log.read(offset, 1 << 20, { upperBound: 'logEnd', minOneMessage: true });
    const more = recordsIn(buffers).filter(record => record.offset >= offset);
    if (more.length === 0) return records;
    records.push(...more);
    offset = more.at(-1)!.offset + 1;
  }
}

/** The file names in a directory of the memory disk, sorted. */
export function filesIn(fs: MemoryFileSystem, directory: string): string[] {
  return fs
    .list(directory)
    .map(({ name }) => name)
    .sort();
}
