import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PooledAnswerMemory } from '../../../../broker/network/answer-memory.ts';
import { DEFAULT_STORAGE_OPTIONS, type LogManager } from '../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { PoisoningPool } from '../../../support/poisoning-pool.ts';
import { batchOf, fixture, ordersLog, recordsIn } from './support.ts';
import { runs } from '../../../support/property-runs.ts';

/** What may happen to a log, with numbers to be scaled to the state it meets. */
type Operation =
  | { readonly kind: 'append'; readonly sizes: readonly number[] }
  | { readonly kind: 'appendMany'; readonly count: number }
  | { readonly kind: 'replicate'; readonly gap: number; readonly size: number }
  | { readonly kind: 'truncate'; readonly part: number }
  | { readonly kind: 'restartAt'; readonly offset: number }
  | { readonly kind: 'deleteRecords'; readonly part: number }
  | { readonly kind: 'read'; readonly part: number; readonly maxBytes: number }
  | { readonly kind: 'flush' | 'retention' | 'cleanRestart' | 'kill' | 'powerLoss' };

const part = fc.double({ min: 0, max: 1, noNaN: true });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      kind: fc.constant('append' as const),
      sizes: fc.array(fc.nat(80), { minLength: 1, maxLength: 5 }),
    }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('appendMany' as const), count: fc.integer({ min: 2, max: 12 }) }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('replicate' as const), gap: fc.nat(3), size: fc.nat(80) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('truncate' as const), part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('restartAt' as const), offset: fc.nat(50) }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('deleteRecords' as const), part }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('read' as const), part, maxBytes: fc.nat(600) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('flush' as const, 'retention', 'cleanRestart', 'kill', 'powerLoss') }),
  },
);

interface ModelBatch {
  readonly first: number;
  readonly last: number;
  readonly bytes: Buffer;
}

/** The log as a list of batches. */
class Model {
  batches: ModelBatch[] = [];
  start = 0;
  end = 0;

  add(bytes: Buffer, first: number, last: number): void {
    this.batches.push({ first, last, bytes: Buffer.from(bytes) });
    this.end = last + 1;
  }

  truncate(offset: number): void {
    if (offset >= this.end) return;
    const cut = this.batches.find(({ last }) => last >= offset);
    this.batches = this.batches.filter(({ last }) => last < offset);
    this.end = Math.min(offset, cut?.first ?? offset);
    this.start = Math.min(this.start, this.end);
  }

  /** What a read must return: whole batches within the limit, but at least one. */
  read(offset: number, maxBytes: number): Buffer {
    const wanted = this.batches.filter(({ last }) => last >= offset);
    let size = 0;
    const fitting = wanted.filter(({ bytes }, i) => (size += bytes.length) <= maxBytes || i === 0);
    return Buffer.concat(fitting.map(({ bytes }) => bytes));
  }
}

const pool = new PoisoningPool(1 << 20);

class Run {
  readonly longestBlockingRead: number;
  readonly f = fixture({
    'segment.bytes': 500,
    'index.interval.bytes': 60,
    'retention.ms': -1,
    'retention.bytes': 1500,
  });
  readonly model = new Model();
  manager!: LogManager;
  log!: PartitionLog;
  epoch = 0;

  constructor(longestBlockingRead: number) {
    this.longestBlockingRead = longestBlockingRead;
  }

  async open(): Promise<void> {
    const { longestBlockingRead } = this;
    this.manager = await this.f.open({ options: { ...DEFAULT_STORAGE_OPTIONS, longestBlockingRead } });
    this.log = ordersLog(this.manager);
  }

  async append(sizes: readonly number[]): Promise<void> {
    const bytes = batchOf(sizes.map((size, i) => ({ value: 'x'.repeat(size), timestamp: 1000 + this.model.end + i })));
    const { firstOffset, lastOffset } = await this.log.appendAsLeader(bytes, this.epoch);
    this.model.add(bytes, firstOffset, lastOffset);
  }

  async appendMany(count: number): Promise<void> {
    const batches = Array.from({ length: count }, (_, i) => batchOf([`${i}`, 'y'.repeat(i * 9)]));
    const infos = await Promise.all(batches.map(bytes => this.log.appendAsLeader(bytes, this.epoch)));
    for (const [i, { firstOffset, lastOffset }] of infos.entries())
      this.model.add(batches[i]!, firstOffset, lastOffset);
  }

  async replicate(gap: number, size: number): Promise<void> {
    const baseOffset = this.model.end + gap;
    const bytes = batchOf(['z'.repeat(size)], { baseOffset, partitionLeaderEpoch: this.epoch });
    await this.log.appendAsFollower(bytes);
    this.model.add(bytes, baseOffset, baseOffset);
  }

  async apply(operation: Operation): Promise<void> {
    const { model, log } = this;
    const scale = (fraction: number, from: number) =>
      Math.min(model.end, from + Math.floor(fraction * (model.end - from + 1)));
    switch (operation.kind) {
      case 'append':
        return this.append(operation.sizes);
      case 'appendMany':
        return this.appendMany(operation.count);
      case 'replicate':
        return this.replicate(operation.gap, operation.size);
      case 'truncate': {
        // A truncation comes with a new leader.
        this.epoch++;
        const offset = scale(operation.part, model.start);
        await log.truncateTo(offset);
        await log.flush();
        model.truncate(offset);
        return;
      }
      case 'restartAt':
        await log.truncateFullyAndStartAt(operation.offset);
        await log.flush();
        model.batches = [];
        model.start = model.end = operation.offset;
        return;
      case 'deleteRecords':
        log.updateHighWatermark(model.end);
        model.start = scale(operation.part, model.start);
        log.incrementLogStartOffset(model.start);
        return;
      case 'read':
        await this.read(scale(operation.part, model.start), operation.maxBytes);
        return;
      case 'flush':
        return log.flush();
      case 'retention':
        await log.deleteOldSegments();
        model.start = log.logStartOffset;
        return;
      case 'cleanRestart':
        await this.manager.shutdown();
        return this.open();
      case 'kill':
        this.f.fs.kill();
        return this.reopened(model.end, model.end);
      case 'powerLoss': {
        const safe = log.recoveryPoint;
        this.f.fs.crash();
        return this.reopened(safe, model.end);
      }
    }
  }

  /** Reads what the model would; a read may end early, where a segment ends. Returns the offset to go on with. */
  async read(offset: number, maxBytes: number): Promise<number> {
    const memory = new PooledAnswerMemory(pool);
    const options = { upperBound: 'logEnd', minOneMessage: true, memory } as const;
    const { records } = await this.log.read(offset, maxBytes, options);
    const found = Buffer.concat(records);
    const expected = this.model.read(offset, maxBytes);
    expect(found.toString('hex')).toBe(expected.subarray(0, found.length).toString('hex'));
    const next = (recordsIn(records).at(-1)?.offset ?? this.model.end - 1) + 1;
    memory.release();
    if (found.length < expected.length) {
      const following = this.model.batches.find(({ first }) => first >= next)!;
      // A segment that was empty may have got a batch with a gap in front of it.
      const starts = Array.from({ length: following.first - next + 1 }, (_, i) => next + i);
      const isSegment = (base: number) => this.f.fs.exists(`/data/orders-0/${base.toString().padStart(20, '0')}.log`);
      expect(starts.some(isSegment)).toBe(true);
    }
    return next;
  }

  /** After a crash the log ends at a batch, nothing that was safe is missing, and the start may have been forgotten. */
  async reopened(atLeast: number, atMost: number): Promise<void> {
    await this.open();
    const { log, model } = this;
    // A log that ended behind a gap, without a batch there, ends with its last batch.
    const lastKept = model.batches.filter(({ last }) => last < atLeast).at(-1);
    expect(log.logEndOffset).toBeGreaterThanOrEqual(lastKept === undefined ? 0 : lastKept.last + 1);
    expect(log.logEndOffset).toBeLessThanOrEqual(atMost);
    model.batches = model.batches.filter(({ last }) => last < log.logEndOffset);
    model.start = log.logStartOffset;
    model.end = log.logEndOffset;
  }

  async check(): Promise<void> {
    const { log, model } = this;
    expect([log.logStartOffset, log.logEndOffset]).toEqual([model.start, model.end]);
    expect(log.recoveryPoint).toBeLessThanOrEqual(log.logEndOffset);
    expect(log.highWatermark).toBeLessThanOrEqual(log.logEndOffset);
    for (let offset = model.start; offset < model.end;) offset = await this.read(offset, 1 << 20);
  }
}

describe('a log under random operations', () => {
  it('is at all times what a plain list of batches would be', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { maxLength: 40 }),
        fc.constantFrom(0, 1 << 20),
        async (operations, longest) => {
          const run = new Run(longest);
          await run.open();
          for (const next of operations) {
            await run.apply(next);
            await run.check();
          }
          expect(run.manager.offlineDirectories).toEqual([]);
        },
      ),
      runs(150),
    );
  });
});
