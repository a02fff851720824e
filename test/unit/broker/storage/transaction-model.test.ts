import fc from 'fast-check';
import { expect, it } from 'vitest';
import type { LogManager } from '../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { FetchedRecords } from '../../../../client/consumer/fetched-records.ts';
import type { ConsumerRecord } from '../../../../client/consumer/record.ts';
import { buildTransactionMarker } from '../../../../shared/records/transaction-marker.ts';
import { runs } from '../../../support/property-runs.ts';
import { batchOf, fixture, type Fixture, ordersLog } from './support.ts';

const PRODUCERS = 4;

/** What may happen, with numbers to be scaled to the state it meets. */
type Operation =
  | {
      readonly kind: 'send' | 'commit' | 'abort' | 'bump' | 'zombie';
      readonly producer: number;
      readonly count: number;
    }
  | { readonly kind: 'plain'; readonly count: number }
  | { readonly kind: 'replicated' | 'truncate' | 'deleteRecords' | 'readFrom'; readonly part: number }
  | { readonly kind: 'cleanRestart' | 'kill' | 'powerLoss' | 'flush' | 'retention' | 'loseIndexes' };

const part = fc.nat(1000).map(thousandths => thousandths / 1000);
const producer = fc.nat(PRODUCERS - 1);
const count = fc.integer({ min: 1, max: 4 });
const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ kind: fc.constant('send' as const), producer, count }) },
  { weight: 7, arbitrary: fc.record({ kind: fc.constantFrom('commit' as const, 'abort'), producer, count }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constantFrom('bump' as const, 'zombie'), producer, count }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('plain' as const), count }) },
  { weight: 6, arbitrary: fc.record({ kind: fc.constantFrom('replicated' as const, 'readFrom'), part }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('truncate' as const), part }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('deleteRecords' as const), part }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constantFrom('cleanRestart' as const, 'kill', 'powerLoss', 'flush', 'retention', 'loseIndexes'),
    }),
  },
);

interface Entry {
  /** -1: of no producer. */
  readonly producer: number;
  readonly epoch: number;
  readonly first: number;
  readonly last: number;
  readonly marker: 'commit' | 'abort' | null;
  /** Of the first record. */
  readonly sequence: number;
}

interface Transaction {
  readonly first: number;
  readonly entries: Entry[];
  end: Entry | null;
}

/** The log as a list of batches, and what follows from it. */
class Model {
  entries: Entry[] = [];
  start = 0;
  end = 0;
  highWatermark = 0;
  /** Snapshots do not tell of transactions that have ended: what had by then may count as replicated. */
  reloadedAt = 0;

  cutTo(end: number): void {
    this.entries = this.entries.filter(({ last }) => last < end);
    this.end = end;
    this.start = Math.min(this.start, end);
    this.highWatermark = Math.min(this.highWatermark, end);
  }

  transactions(): Transaction[] {
    const all: Transaction[] = [];
    const open = new Map<number, Transaction>();
    for (const entry of this.entries) {
      if (entry.producer < 0) continue;
      let transaction = open.get(entry.producer);
      if (entry.marker !== null) {
        if (transaction !== undefined) transaction.end = entry;
        open.delete(entry.producer);
        continue;
      }
      if (transaction === undefined) all.push((transaction = { first: entry.first, entries: [], end: null }));
      open.set(entry.producer, transaction);
      transaction.entries.push(entry);
    }
    return all;
  }

  isOpen(id: number): boolean {
    return this.transactions().some(({ end, entries }) => end === null && entries[0]!.producer === id);
  }

  /** @param settledBelow markers below it count as being on all in-sync replicas */
  lastStableOffset(settledBelow = this.highWatermark): number {
    const unstable = this.transactions()
      .filter(({ end }) => end === null || end.last >= settledBelow)
      .map(({ first }) => first);
    return Math.max(this.start, Math.min(this.highWatermark, ...unstable));
  }

  get greatestStableOffset(): number {
    return this.lastStableOffset(Math.max(this.highWatermark, this.reloadedAt));
  }

  /** What a read_committed reader of the offsets from `from` to below `stable` is to see. */
  visible(from: number, stable: number): string[] {
    const aborted = new Set(
      this.transactions()
        .filter(({ end }) => end?.marker === 'abort')
        .flatMap(({ entries }) => entries),
    );
    return this.entries
      .filter(entry => entry.marker === null && !aborted.has(entry))
      .flatMap(valuesOf)
      .filter(({ offset }) => offset >= from && offset < stable)
      .map(({ value }) => value);
  }

  /** The newest epoch of the producer in the log; -1: it is not there. */
  epochOf(id: number): number {
    return Math.max(-1, ...this.entries.filter(entry => entry.producer === id).map(({ epoch }) => epoch));
  }

  nextSequence(id: number, epoch: number): number {
    const last = this.entries.findLast(
      entry => entry.producer === id && entry.epoch === epoch && entry.marker === null,
    );
    return last === undefined ? 0 : last.sequence + (last.last - last.first) + 1;
  }
}

function valuesOf({ producer: id, first, last }: Entry): { offset: number; value: string }[] {
  return Array.from({ length: last - first + 1 }, (_, i) => ({ offset: first + i, value: `${id}@${first + i}` }));
}

/** A life of a log, with the model beside it. */
class Life {
  readonly #f: Fixture;
  #manager!: LogManager;
  #log!: PartitionLog;
  readonly #model = new Model();
  readonly #epochs = Array.from({ length: PRODUCERS }, () => 0);
  #coordinatorEpoch = 1;

  constructor(seed: number) {
    this.#f = fixture({ 'segment.bytes': 700, 'index.interval.bytes': 100, 'file.delete.delay.ms': 0 }, seed);
  }

  async open(): Promise<void> {
    this.#manager = await this.#f.open();
    this.#log = ordersLog(this.#manager);
  }

  async apply(op: Operation): Promise<void> {
    switch (op.kind) {
      case 'send':
        return this.#send(op.producer, op.count);
      case 'plain':
        return this.#append(-1, 0, 0, op.count);
      case 'commit':
      case 'abort':
        return this.#mark(op.producer, op.kind);
      case 'bump':
        // As the coordinator does for a producer that comes back: what is open is aborted with the new epoch.
        this.#epochs[op.producer]! += 1;
        if (this.#model.isOpen(op.producer)) await this.#mark(op.producer, 'abort');
        return;
      case 'zombie':
        return this.#zombie(op.producer);
      case 'replicated': {
        this.#replicatedTo(between(this.#model.highWatermark, this.#model.end, op.part));
        return;
      }
      case 'truncate':
        return this.#truncateTo(between(this.#model.highWatermark, this.#model.end, op.part));
      case 'deleteRecords': {
        this.#deleteTo(between(this.#model.start, this.#model.lastStableOffset(), op.part));
        return;
      }
      case 'readFrom':
        return this.check(between(this.#model.start, this.#model.end, op.part), Math.floor(op.part * 700));
      case 'flush':
        return this.#log.flush();
      case 'retention':
        await this.#log.deleteOldSegments();
        return;
      default:
        return this.#restart(op.kind);
    }
  }

  async #send(id: number, size: number): Promise<void> {
    const known = this.#model.epochOf(id);
    // What a crash has taken away, its producer would have to be told: it comes back as the next epoch.
    const epoch = (this.#epochs[id] = Math.max(this.#epochs[id]!, known));
    await this.#append(id, epoch, this.#model.nextSequence(id, epoch), size);
  }

  async #append(id: number, epoch: number, sequence: number, size: number): Promise<void> {
    const first = this.#model.end;
    const entry: Entry = { producer: id, epoch, first, last: first + size - 1, marker: null, sequence };
    const records = valuesOf(entry).map(({ value }) => ({ value, timestamp: this.#f.time.now() }));
    const numbered = { producerId: id, producerEpoch: epoch, baseSequence: sequence, isTransactional: true };
    await this.#log.appendAsLeader(batchOf(records, id < 0 ? {} : numbered), 0);
    this.#model.entries.push(entry);
    this.#model.end = entry.last + 1;
  }

  async #mark(id: number, marker: 'commit' | 'abort'): Promise<void> {
    const epoch = Math.max(this.#epochs[id]!, this.#model.epochOf(id));
    const content = {
      isCommit: marker === 'commit',
      coordinatorEpoch: this.#coordinatorEpoch,
      timestamp: this.#f.time.now(),
    };
    const batch = buildTransactionMarker({ producerId: id, producerEpoch: epoch }, content);
    await this.#log.appendAsLeader(batch, 0, { origin: 'coordinator' });
    const offset = this.#model.end;
    this.#model.entries.push({ producer: id, epoch, first: offset, last: offset, marker, sequence: -1 });
    this.#model.end = offset + 1;
  }

  async #zombie(id: number): Promise<void> {
    const newest = this.#model.entries.findLast(entry => entry.producer === id && entry.first >= this.#model.start);
    if (newest === undefined || newest.epoch === 0) return;
    const old = { producerId: id, producerEpoch: newest.epoch - 1, baseSequence: 0, isTransactional: true };
    const attempt = this.#log.appendAsLeader(batchOf(['zombie'], old), 0);
    await expect(attempt).rejects.toMatchObject({ kind: 'INVALID_PRODUCER_EPOCH' });
  }

  /** High watermarks are where batches end. */
  #replicatedTo(wanted: number): void {
    const ends = this.#model.entries.map(({ last }) => last + 1).filter(end => end >= this.#model.highWatermark);
    const offset = ends.find(end => end >= wanted) ?? this.#model.highWatermark;
    this.#model.highWatermark = this.#log.updateHighWatermark(offset);
    expect(this.#model.highWatermark).toBe(offset);
  }

  async #truncateTo(offset: number): Promise<void> {
    const former = this.#log.lastStableOffset;
    let highest = former;
    const cut = this.#log.truncateTo(offset);
    let isCut = false;
    void cut.then(() => (isCut = true));
    for (let look = 1; !isCut; look++) {
      highest = Math.max(highest, this.#log.lastStableOffset);
      await (look % 100 === 0 ? new Promise(setImmediate) : Promise.resolve());
    }
    this.#model.cutTo(this.#log.logEndOffset);
    this.#model.reloadedAt = this.#model.end;
    // While the producers' state was made anew, nothing undecided has shown.
    expect(highest).toBeLessThanOrEqual(Math.max(former, this.#model.greatestStableOffset));
    // A loss of power now could bring back what was cut off: that is log-model.test.ts's matter.
    await this.#log.flush();
    await this.check(this.#model.start, 1 << 20);
  }

  #deleteTo(offset: number): void {
    this.#log.incrementLogStartOffset(offset);
    this.#model.start = offset;
  }

  async #restart(how: 'cleanRestart' | 'kill' | 'powerLoss' | 'loseIndexes'): Promise<void> {
    const { highWatermark, start } = this.#model;
    if (how === 'kill') this.#f.fs.kill();
    else if (how === 'powerLoss') this.#f.fs.crash();
    else await this.#manager.shutdown();
    if (how === 'loseIndexes') this.#loseIndexes();
    await this.open();
    this.#model.cutTo(this.#log.logEndOffset);
    this.#model.reloadedAt = this.#model.end;
    // The checkpoint of log starts may be behind what was deleted last; deleting again is the leader's business.
    if (this.#log.logStartOffset < start && start <= this.#log.logEndOffset) {
      this.#log.updateHighWatermark(start);
      this.#log.incrementLogStartOffset(start);
    }
    this.#model.start = this.#log.logStartOffset;
    this.#model.highWatermark = this.#log.updateHighWatermark(highWatermark);
    this.#coordinatorEpoch += 1;
    await this.check(this.#model.start, 300);
  }

  /** As an operator who distrusts them: the next start makes all of them anew. */
  #loseIndexes(): void {
    const { fs } = this.#f;
    for (const { name } of fs.list('/data/orders-0')) {
      if (/index$/.test(name)) fs.removeFileSync(`/data/orders-0/${name}`);
    }
  }

  /** Reads as a read_committed consumer does, with fetches of up to `maxBytes`. */
  async check(from: number, maxBytes: number, log = this.#log): Promise<void> {
    expect(log.lastStableOffset).toBeGreaterThanOrEqual(this.#model.lastStableOffset());
    expect(log.lastStableOffset).toBeLessThanOrEqual(this.#model.greatestStableOffset);
    const seen: ConsumerRecord[] = [];
    for (let offset = from; offset < log.lastStableOffset;) {
      const read = await log.read(offset, maxBytes, { upperBound: 'lastStable', minOneMessage: true });
      const bytes = Buffer.concat(read.records);
      const fetched = new FetchedRecords('orders', 0, bytes, offset, true, read.abortedTransactions!);
      fetched.take(Infinity, seen);
      expect(fetched.nextOffset).toBeGreaterThan(offset);
      offset = fetched.nextOffset;
    }
    expect(seen.map(({ value }) => value!.toString())).toEqual(this.#model.visible(from, log.lastStableOffset));
  }

  /** A follower that has copied the log shows the same. */
  async checkFollower(maxBytes: number): Promise<void> {
    const follower = this.#manager.getOrCreateLog('orders', 1, { topicId: null, isNew: true });
    await follower.truncateFullyAndStartAt(this.#log.logStartOffset);
    while (follower.logEndOffset < this.#log.logEndOffset) {
      const at = follower.logEndOffset;
      const { records } = await this.#log.read(at, maxBytes, { upperBound: 'logEnd', minOneMessage: true });
      await follower.appendAsFollower(Buffer.concat(records));
    }
    follower.updateHighWatermark(this.#model.highWatermark);
    await this.check(this.#model.start, maxBytes, follower);
  }

  async end(): Promise<void> {
    await this.check(this.#model.start, 1 << 20);
    await this.check(this.#model.start, 1);
    await this.checkFollower(500);
    await this.#manager.shutdown();
  }
}

function between(low: number, high: number, fraction: number): number {
  return Math.min(high, low + Math.floor((high - low + 1) * fraction));
}

it('a log shows read_committed readers what is decided and committed, and nothing else, whatever happens to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(), fc.array(operation, { minLength: 10, maxLength: 90 }), async (seed, operations) => {
      const life = new Life(seed);
      await life.open();
      for (const op of operations) await life.apply(op);
      await life.end();
    }),
    runs(80),
  );
}, 120_000);
