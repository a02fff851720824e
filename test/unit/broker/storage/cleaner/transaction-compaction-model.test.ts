import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogManager } from '../../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../../broker/storage/partition-log.ts';
import { FetchedRecords } from '../../../../../client/consumer/fetched-records.ts';
import type { ConsumerRecord } from '../../../../../client/consumer/record.ts';
import { buildTransactionMarker } from '../../../../../shared/records/transaction-marker.ts';
import { DyingProcess } from '../../../../support/dying-file-system.ts';
import { runs } from '../../../../support/property-runs.ts';
import { fixture } from '../support.ts';
import { batchesOf, cleanAll, cleaning, ordersLog, put } from './support.ts';

const RETENTION = 50_000;
const PRODUCERS = 3;

type Operation =
  /** By producer PRODUCERS: outside transactions. */
  | { readonly kind: 'put'; readonly keys: readonly number[]; readonly producer: number }
  | { readonly kind: 'commit' | 'abort'; readonly producer: number }
  | { readonly kind: 'wait'; readonly ms: number }
  /** The log is cleaned by a process that dies at one of its changes, or loses its power then. */
  | { readonly kind: 'dieCleaning'; readonly changes: number; readonly losesPower: boolean }
  | { readonly kind: 'clean' | 'restart' };

/** Keys from 0 on; multiples of 7 delete. */
const keys = fc.array(fc.nat(30), { minLength: 1, maxLength: 4 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ kind: fc.constant('put' as const), keys, producer: fc.nat(PRODUCERS) }) },
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'abort'), producer: fc.nat(PRODUCERS - 1) }),
  },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(RETENTION) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('dieCleaning' as const),
      changes: fc.integer({ min: 1, max: 60 }),
      losesPower: fc.boolean(),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constantFrom('clean' as const, 'clean', 'restart') }) },
);

interface Written {
  readonly key: string;
  readonly value: string | null;
  readonly ms: number;
  /** Of its transaction; records outside of one are committed. */
  fate: 'open' | 'committed' | 'aborted';
}

class Run {
  readonly f = fixture({
    'cleanup.policy': ['compact'],
    'segment.bytes': 400,
    'index.interval.bytes': 60,
    'min.cleanable.dirty.ratio': 0.01,
    'delete.retention.ms': RETENTION,
  });
  /** By offset; null: a marker. */
  readonly written: (Written | null)[] = [];
  readonly sequences = new Array<number>(PRODUCERS).fill(0);
  readonly open: Written[][] = Array.from({ length: PRODUCERS }, () => []);
  manager!: LogManager;
  log!: PartitionLog;
  process!: DyingProcess;

  async start(): Promise<void> {
    this.process = new DyingProcess(this.f.fs);
    const { fs } = this.process;
    const timers = this.process.timers(this.f.time);
    const cleaner = cleaning(fs, { ioBufferBytes: 600, dedupeBufferBytes: 24 * 16 });
    this.manager = await this.f.open({ fs, timers, ...cleaner, onDirectoryFailure: this.failuresOf(this.process) });
    this.log = ordersLog(this.manager);
    expect(this.log.logEndOffset).toBe(this.written.length);
    this.log.updateHighWatermark(this.log.logEndOffset);
  }

  /** What fails because the process is dead says nothing. */
  failuresOf(process: DyingProcess): (directory: string) => void {
    return directory => {
      if (!process.isDead) this.f.failures.push(directory);
    };
  }

  async apply(op: Operation): Promise<void> {
    switch (op.kind) {
      case 'put':
        return this.put(op.keys, op.producer);
      case 'commit':
      case 'abort':
        return this.mark(op.producer, op.kind);
      case 'wait':
        this.f.time.advance(op.ms);
        return;
      case 'clean':
        return this.clean();
      case 'restart':
        await this.manager.shutdown();
        return this.start();
      case 'dieCleaning':
        return this.dieCleaning(op.changes, op.losesPower);
    }
  }

  async dieCleaning(changes: number, losesPower: boolean): Promise<void> {
    await this.log.flush();
    this.process.dieAfter(changes);
    await cleanAll(this.f, this.manager, () => this.process.isDead);
    this.process.dieAfter(0);
    await this.manager.cleaner!.stop();
    if (losesPower) this.f.fs.crash();
    else this.f.fs.kill();
    await this.start();
  }

  async put(numbers: readonly number[], producer: number): Promise<void> {
    const ms = this.f.time.now();
    const isTransactional = producer < PRODUCERS;
    const records = numbers.map((number, i): Written => {
      const value = number % 7 === 0 ? null : `${this.written.length + i}`;
      return { key: `k${number % 10}`, value, ms, fate: isTransactional ? 'open' : 'committed' };
    });
    const numbering = { producerId: 100 + producer, producerEpoch: 0, baseSequence: this.sequences[producer]! };
    const puts = records.map(({ key, value }) => ({ key, value, timestamp: ms }));
    await put(this.log, puts, isTransactional ? { ...numbering, isTransactional } : {});
    this.written.push(...records);
    if (!isTransactional) return;
    this.sequences[producer]! += records.length;
    this.open[producer]!.push(...records);
  }

  async mark(producer: number, how: 'commit' | 'abort'): Promise<void> {
    const content = { isCommit: how === 'commit', coordinatorEpoch: 0, timestamp: this.f.time.now() };
    const marker = buildTransactionMarker({ producerId: 100 + producer, producerEpoch: 0 }, content);
    await this.log.appendAsLeader(marker, 0, { origin: 'coordinator' });
    this.log.updateHighWatermark(this.log.logEndOffset);
    this.written.push(null);
    for (const record of this.open[producer]!.splice(0)) record.fate = how === 'commit' ? 'committed' : 'aborted';
  }

  /** What a read_committed consumer sees is the same before and after, as far as the last record of each key goes. */
  async clean(): Promise<void> {
    const before = lastOf(await this.visible(0));
    await cleanAll(this.f, this.manager);
    const after = lastOf(await this.visible(0));
    for (const [key, { offset, value }] of before) {
      const left = after.get(key);
      // Only a tombstone may go.
      if (left === undefined) expect([key, value]).toEqual([key, null]);
      else expect([key, left.offset]).toEqual([key, offset]);
    }
  }

  /** Reads as a read_committed consumer does, with fetches of up to `maxBytes`. */
  async visible(from: number, maxBytes = 1 << 20): Promise<ConsumerRecord[]> {
    const seen: ConsumerRecord[] = [];
    for (let offset = from; offset < this.log.lastStableOffset;) {
      const read = await this.log.read(offset, maxBytes, { upperBound: 'lastStable', minOneMessage: true });
      const bytes = Buffer.concat(read.records);
      // Compaction has left a gap up to there.
      if (bytes.length === 0) break;
      const fetched = new FetchedRecords('orders', 0, bytes, offset, true, read.abortedTransactions!);
      fetched.take(Infinity, seen);
      expect(fetched.nextOffset).toBeGreaterThan(offset);
      offset = fetched.nextOffset;
    }
    return seen;
  }

  /** What is visible was written and committed; of each key the last such record is there, or a tombstone has gone. */
  async check(maxBytes: number): Promise<void> {
    const stable = this.log.lastStableOffset;
    const firstOpen = this.written.findIndex(record => record?.fate === 'open');
    expect(stable).toBe(firstOpen < 0 ? this.written.length : firstOpen);
    for (const from of [0, Math.floor(stable / 2)]) {
      const seen = await this.visible(from, maxBytes);
      for (const { offset, key, value } of seen) {
        const record = this.written[offset]!;
        expect({ offset, key: key!.toString(), value: value?.toString() ?? null, fate: record.fate }).toEqual({
          offset,
          key: record.key,
          value: record.value,
          fate: 'committed',
        });
      }
      const last = lastOf(seen);
      for (const [key, offset] of this.expected(from, stable)) {
        const { value, ms } = this.written[offset]!;
        if (last.has(key) || value !== null) expect([key, last.get(key)?.offset]).toEqual([key, offset]);
        else expect(this.f.time.now() - ms).toBeGreaterThanOrEqual(RETENTION);
      }
    }
    expect(this.f.failures).toEqual([]);
  }

  /** The last committed record of each key. */
  expected(from: number, stable: number): Map<string, number> {
    const expected = new Map<string, number>();
    for (const [offset, record] of this.written.entries()) {
      if (record?.fate === 'committed' && offset >= from && offset < stable) expected.set(record.key, offset);
    }
    return expected;
  }

  /** When all transactions have ended and all times have passed, cleaning leaves nothing of what was aborted. */
  async finish(): Promise<void> {
    for (let producer = 0; producer < PRODUCERS; producer++) await this.mark(producer, 'abort');
    // So much that what is above lies in segments that may be cleaned.
    for (let i = 0; i < 12; i++) await this.put([1, 2, 3, 4], PRODUCERS);
    for (let round = 0; round < 3; round++) {
      await this.clean();
      this.f.time.advance(RETENTION + 1);
      await this.put([5, 6], PRODUCERS);
    }
    await this.clean();
    await this.check(500);
    const left = this.written.filter(record => record?.fate === 'aborted').length;
    const kept = await this.recordsKept();
    for (const offset of kept) expect(this.written[offset]?.fate, `${left} were aborted`).not.toBe('aborted');
    await this.manager.shutdown();
  }

  /** Offsets of the data records in the log, visible or not, below the segment that is written to. */
  async recordsKept(): Promise<number[]> {
    const offsets: number[] = [];
    for (const bytes of await batchesOf(this.log)) {
      const seen: ConsumerRecord[] = [];
      new FetchedRecords('orders', 0, bytes, 0, true, []).take(Infinity, seen);
      offsets.push(...seen.map(({ offset }) => offset));
    }
    return offsets;
  }
}

function lastOf(records: readonly ConsumerRecord[]): Map<string, { offset: number; value: string | null }> {
  return new Map(
    records.map(({ key, offset, value }) => [key!.toString(), { offset, value: value?.toString() ?? null }]),
  );
}

it('compaction keeps what is committed as by key, drops what was aborted, and shows readers the same', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), fc.nat(900), async (operations, maxBytes) => {
      const run = new Run();
      await run.start();
      for (const op of operations) {
        await run.apply(op);
        await run.check(maxBytes);
      }
      await run.finish();
    }),
    runs(60),
  );
}, 120_000);
