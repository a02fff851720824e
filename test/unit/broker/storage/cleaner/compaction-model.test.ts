import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogManager } from '../../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../../broker/storage/partition-log.ts';
import { CODECS } from '../../../../../shared/records/compression.ts';
import { DyingProcess } from '../../../../support/dying-file-system.ts';
import { runs } from '../../../../support/property-runs.ts';
import { filesIn, fixture } from '../support.ts';
import { cleanAll, cleaning, kept, ordersLog, put } from './support.ts';

const DIR = '/data/orders-0';
const RETENTION = 50_000;
const PRODUCERS = 3;

/** What may happen to a compacted log. */
type Operation =
  | { readonly kind: 'put'; readonly keys: readonly number[]; readonly producer: number; readonly codec: 0 | 1 | 3 }
  /** The log is cleaned by a process that dies at one of its changes, or loses its power then. */
  | { readonly kind: 'dieCleaning'; readonly changes: number; readonly losesPower: boolean }
  | { readonly kind: 'uncommitted'; readonly keys: readonly number[] }
  | { readonly kind: 'wait'; readonly ms: number }
  | { readonly kind: 'clean' | 'restart' | 'truncate' | 'commit' };

/** Keys from 0 on; odd multiples of 7 delete. */
const keys = fc.array(fc.nat(30), { minLength: 1, maxLength: 6 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      kind: fc.constant('put' as const),
      keys,
      producer: fc.nat(PRODUCERS),
      codec: fc.constantFrom(CODECS.none, CODECS.none, CODECS.gzip, CODECS.lz4),
    }),
  },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant('dieCleaning' as const),
      changes: fc.integer({ min: 1, max: 60 }),
      losesPower: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('uncommitted' as const), keys }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('wait' as const), ms: fc.nat(RETENTION) }) },
  {
    weight: 4,
    arbitrary: fc.record({ kind: fc.constantFrom('clean' as const, 'clean', 'restart', 'truncate', 'commit') }),
  },
);

interface Written {
  readonly key: string;
  readonly value: string | null;
  readonly ms: number;
}

class Run {
  readonly f = fixture({
    'cleanup.policy': ['compact'],
    'segment.bytes': 260,
    'index.interval.bytes': 60,
    'min.cleanable.dirty.ratio': 0.01,
    'delete.retention.ms': RETENTION,
  });
  /** By offset: all records that were ever acknowledged and not cut off. */
  readonly written: Written[] = [];
  readonly sequences = new Array<number>(PRODUCERS).fill(0);
  manager!: LogManager;
  log!: PartitionLog;
  process!: DyingProcess;
  committed = 0;

  async open(): Promise<void> {
    this.process = new DyingProcess(this.f.fs);
    const { fs } = this.process;
    const timers = this.process.timers(this.f.time);
    this.manager = await this.f.open({
      fs,
      timers,
      ...cleaning(fs, { ioBufferBytes: 300, dedupeBufferBytes: 24 * 16 }),
    });
    this.log = ordersLog(this.manager);
    expect(filesIn(this.f.fs, DIR).filter(name => /cleaned|swap/.test(name))).toEqual([]);
    expect(this.log.logEndOffset).toBe(this.written.length);
    this.log.updateHighWatermark(this.committed);
  }

  async put(numbers: readonly number[], producer: number, codec: number): Promise<void> {
    const ms = this.f.time.now();
    const puts = numbers.map((number, i) => ({
      key: `k${number % 10}`,
      value: number % 7 === 0 ? null : `${this.written.length + i}`,
      timestamp: ms,
    }));
    const isIdempotent = producer < PRODUCERS;
    const numbering = { producerId: 100 + producer, producerEpoch: 0, baseSequence: this.sequences[producer]! };
    await put(this.log, puts, { codec: codec as 0, ...(isIdempotent ? numbering : {}) });
    if (isIdempotent) this.sequences[producer]! += puts.length;
    this.written.push(...puts.map(({ key, value }) => ({ key, value, ms })));
    this.committed = this.written.length;
  }

  async apply(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'put':
        return this.put(operation.keys, operation.producer, operation.codec);
      case 'uncommitted':
        await this.uncommitted(operation.keys);
        return;
      case 'commit':
        this.committed = this.written.length;
        this.log.updateHighWatermark(this.committed);
        return;
      case 'truncate':
        // Only what is not committed is ever cut off.
        await this.log.truncateTo(this.committed);
        this.written.length = this.committed;
        return;
      case 'wait':
        this.f.time.advance(operation.ms);
        return;
      case 'clean':
        await cleanAll(this.f, this.manager);
        return this.checkCleaned();
      case 'restart':
        await this.manager.shutdown();
        return this.open();
      case 'dieCleaning':
        return this.dieCleaning(operation.changes, operation.losesPower);
    }
  }

  async uncommitted(numbers: readonly number[]): Promise<void> {
    const { committed } = this;
    await this.put(numbers, PRODUCERS, CODECS.none);
    this.committed = committed;
    this.log.updateHighWatermark(committed);
  }

  async dieCleaning(changes: number, losesPower: boolean): Promise<void> {
    await this.log.flush();
    this.process.dieAfter(changes);
    await cleanAll(this.f, this.manager, () => this.process.isDead);
    this.process.dieAfter(0);
    await this.manager.cleaner!.stop();
    if (losesPower) this.f.fs.crash();
    else this.f.fs.kill();
    await this.open();
  }

  /** What is in the log was written so, in that order; of each key the last record is there, or a tombstone has gone. */
  async check(): Promise<void> {
    const found = await kept(this.log);
    const last = new Map<string, number>();
    let before = -1;
    for (const { offset, key, value } of found) {
      expect(offset).toBeGreaterThan(before);
      expect({ key, value }).toEqual({ key: this.written[offset]!.key, value: this.written[offset]!.value });
      last.set(key, offset);
      before = offset;
    }
    const expected = new Map(this.written.map(({ key }, offset) => [key, offset]));
    for (const [key, offset] of expected) {
      const { value, ms } = this.written[offset]!;
      if (last.has(key) || value !== null) expect([key, last.get(key)]).toEqual([key, offset]);
      else expect(this.f.time.now() - ms).toBeGreaterThanOrEqual(RETENTION);
    }
    expect(this.f.failures).toEqual([]);
  }

  /** Below where it is clean no key is there twice. */
  async checkCleaned(): Promise<void> {
    const checkpoint = /orders 0 (\d+)/.exec(
      this.f.fs.exists('/data/cleaner-offset-checkpoint')
        ? this.f.fs.readFile('/data/cleaner-offset-checkpoint').toString()
        : '',
    );
    const end = Number(checkpoint?.[1] ?? 0);
    const clean = (await kept(this.log)).filter(({ offset }) => offset < end).map(({ key }) => key);
    expect(clean).toHaveLength(new Set(clean).size);
  }
}

it('keeps the last record of each key, whatever happens, and whenever it happens', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(operation, { maxLength: 40, size: 'max' }), async operations => {
      const run = new Run();
      await run.open();
      for (const operation of operations) {
        await run.apply(operation);
        run.f.failures.length = 0;
        await run.check();
      }
      await run.manager.shutdown();
    }),
    runs(60),
  );
});
