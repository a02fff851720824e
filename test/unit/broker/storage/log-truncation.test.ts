import { describe, expect, it } from 'vitest';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { batchOf, filesIn, fixture, ordersLog, readAll } from './support.ts';

/** Ten records with values 0..9 in batches of one, three a segment; epochs 0 from 0, 2 from 4, 5 from 8. */
async function tenRecords(config = {}) {
  const f = fixture({ 'segment.bytes': 220, 'index.interval.bytes': 0, ...config });
  const manager = await f.open();
  const log = ordersLog(manager);
  for (let i = 0; i < 10; i++) {
    const epoch = i < 4 ? 0 : i < 8 ? 2 : 5;
    await log.appendAsLeader(batchOf([{ value: `${i}`, timestamp: 1000 + i }]), epoch);
  }
  return { ...f, manager, log };
}

async function values(log: PartitionLog): Promise<string> {
  return (await readAll(log)).map(({ value }) => value).join('');
}

describe('truncating from the end', () => {
  it('leaves exactly what is below the offset, at every offset, and appends go on there', async () => {
    for (let offset = 0; offset <= 10; offset++) {
      const { log } = await tenRecords();
      log.updateHighWatermark(10);
      expect(await log.truncateTo(offset)).toBe(offset < 10);
      expect(await values(log)).toBe('0123456789'.slice(0, offset));
      expect([log.logEndOffset, log.highWatermark]).toEqual([offset, offset]);
      expect(log.recoveryPoint).toBeLessThanOrEqual(offset);
      expect(log.latestEpoch).toBe(offset === 0 ? -1 : offset <= 4 ? 0 : offset <= 8 ? 2 : 5);
      const info = await log.appendAsLeader(batchOf([{ value: 'new', timestamp: 1 }]), 6);
      expect(info.firstOffset).toBe(offset);
      expect(await values(log)).toBe(`${'0123456789'.slice(0, offset)}new`);
      expect(await log.offsetForTimestamp(1000 + offset)).toBeNull();
    }
  });

  it('survives a restart, clean or not', async () => {
    for (const isClean of [true, false]) {
      for (const offset of [0, 2, 3, 7]) {
        const f = await tenRecords();
        await f.log.truncateTo(offset);
        if (isClean) await f.manager.shutdown();
        else f.fs.kill();
        const log = ordersLog(await f.open());
        expect(log.logEndOffset).toBe(offset);
        expect(await values(log)).toBe('0123456789'.slice(0, offset));
      }
    }
  });

  it('takes a batch that holds the offset as a whole', async () => {
    const log = ordersLog(await fixture().open());
    await log.appendAsLeader(batchOf(['a', 'b']), 0);
    await log.appendAsLeader(batchOf(['c', 'd', 'e']), 0);
    await log.truncateTo(3);
    expect(log.logEndOffset).toBe(2);
    // What a follower then fetches begins with the whole batch, and fits.
    await log.appendAsFollower(batchOf(['c', 'd', 'e'], { baseOffset: 2 }));
    expect(await values(log)).toBe('abcde');
  });

  it('waits for what is being appended', async () => {
    const { log } = await tenRecords();
    const append = log.appendAsLeader(batchOf(['x']), 5);
    const truncate = log.truncateTo(9);
    expect((await append).firstOffset).toBe(10);
    await truncate;
    expect(await values(log)).toBe('012345678');
  });

  it('also forgets what is cached for readers at the end', async () => {
    const log = ordersLog(await fixture().open());
    await log.read(0, 100, { upperBound: 'logEnd', minOneMessage: true });
    for (const value of 'abc') await log.appendAsLeader(batchOf([value]), 0);
    await log.truncateTo(1);
    await log.appendAsLeader(batchOf(['x']), 1);
    expect(await values(log)).toBe('ax');
  });

  it('forgets where entries began that are gone', async () => {
    const log = ordersLog(await fixture().open());
    for (const value of 'abcdef') await log.appendAsLeader(batchOf([value]), 0);
    await log.truncateTo(1);
    await log.appendAsLeader(batchOf(['x', 'y', 'z', 'u', 'v'].map(value => value.repeat(20))), 1);
    for (let offset = 1; offset < 6; offset++) expect((await readAll(log, offset))[0]!.offset).toBe(offset);
    expect(log.sizeBetween(3, 'logEnd').bytes).toBeGreaterThan(100);
  });

  it('stays done after a loss of power, once flushed', async () => {
    for (let seed = 1; seed < 20; seed++) {
      const f = fixture({}, seed);
      const log = ordersLog(await f.open());
      for (const value of 'abc') await log.appendAsLeader(batchOf([value]), 0);
      await log.flush();
      await log.truncateTo(1);
      await log.flush();
      f.fs.crash();
      expect(await values(ordersLog(await f.open()))).toBe('a');
    }
  });

  it('only drops epochs when nothing is above the offset', async () => {
    const { log } = await tenRecords();
    log.assignEpochStart(9, 10);
    expect(await log.truncateTo(12)).toBe(false);
    expect(log.latestEpoch).toBe(5);
    expect(await values(log)).toBe('0123456789');
  });

  it('restarts the log at an offset below its first segment', async () => {
    const { log } = await tenRecords();
    await log.truncateFullyAndStartAt(100);
    await log.appendAsFollower(batchOf(['x'], { baseOffset: 100 }));
    await log.truncateTo(50);
    expect([log.logStartOffset, log.logEndOffset]).toEqual([50, 50]);
  });
});

describe('truncating fully', () => {
  it('leaves an empty log at the offset, also after a kill', async () => {
    const f = await tenRecords();
    await f.log.truncateFullyAndStartAt(42);
    const offsets = (log: PartitionLog) => [log.logStartOffset, log.highWatermark, log.logEndOffset, log.latestEpoch];
    expect(offsets(f.log)).toEqual([42, 42, 42, -1]);
    f.fs.kill();
    const log = ordersLog(await f.open());
    expect(offsets(log)).toEqual([42, 42, 42, -1]);
    await log.appendAsFollower(batchOf(['x'], { baseOffset: 42 }));
    expect(await readAll(log)).toEqual([{ offset: 42, value: 'x' }]);
  });
});

describe('retention', () => {
  function bases(f: { fs: ReturnType<typeof fixture>['fs'] }): number[] {
    return filesIn(f.fs, '/data/orders-0')
      .filter(name => name.endsWith('.log'))
      .map(name => Number.parseInt(name));
  }

  it('deletes whole segments below the log start only', async () => {
    for (const [start, kept] of [
      [1, [0, 3, 6, 9]],
      [3, [3, 6, 9]],
      [8, [6, 9]],
      [10, [9]],
    ] as const) {
      const f = await tenRecords({ 'retention.ms': -1 });
      f.log.updateHighWatermark(10);
      f.log.incrementLogStartOffset(start);
      await f.log.deleteOldSegments();
      expect(bases(f)).toEqual(kept);
      expect(f.log.logStartOffset).toBe(start);
      expect(await values(f.log)).toBe('0123456789'.slice(start));
    }
  });

  it('does that also for a topic that is compacted only, but nothing else', async () => {
    const f = await tenRecords({ 'cleanup.policy': ['delete'], 'retention.ms': 1 });
    f.log.updateConfig({ ...f.log.config, 'cleanup.policy': ['compact'] });
    f.log.updateHighWatermark(10);
    expect(await f.log.deleteOldSegments()).toBe(0);
    f.log.incrementLogStartOffset(4);
    expect(await f.log.deleteOldSegments()).toBe(1);
  });

  it('deletes by age up to the first segment that is young enough, and epochs with them', async () => {
    const f = await tenRecords({ 'retention.ms': 5000 });
    f.log.updateHighWatermark(10);
    // The records are of 1970: all are too old. An old one behind a young one stays.
    f.log.updateConfig({ ...f.log.config, 'retention.ms': f.time.now() - 1006 });
    expect(await f.log.deleteOldSegments()).toBe(2);
    expect(bases(f)).toEqual([6, 9]);
    expect([f.log.logStartOffset, f.log.logEndOffset]).toEqual([6, 10]);
    expect(f.log.endOffsetForEpoch(1)).toEqual({ leaderEpoch: 1, endOffset: 6 });
    expect(f.log.epochAt(7)).toBe(2);
  });

  it('begins a new segment when all are deleted, and appends go on at the end', async () => {
    const f = await tenRecords({ 'retention.ms': 1000 });
    f.log.updateHighWatermark(10);
    expect(await f.log.deleteOldSegments()).toBe(4);
    expect(bases(f)).toEqual([10]);
    expect([f.log.logStartOffset, f.log.highWatermark, f.log.logEndOffset]).toEqual([10, 10, 10]);
    expect(await f.log.deleteOldSegments()).toBe(0);
    expect((await f.log.appendAsLeader(batchOf(['x']), 5)).firstOffset).toBe(10);
    f.fs.kill();
    expect(await readAll(ordersLog(await f.open()))).toEqual([{ offset: 10, value: 'x' }]);
  });

  it('never deletes what is not below the high watermark', async () => {
    const f = await tenRecords({ 'retention.ms': 1000 });
    f.log.updateHighWatermark(5);
    expect(await f.log.deleteOldSegments()).toBe(1);
    f.log.updateHighWatermark(6);
    expect(await f.log.deleteOldSegments()).toBe(1);
  });

  it('deletes by size only as long as the rest is still enough', async () => {
    const f = await tenRecords({ 'retention.ms': -1 });
    const size = batchOf(['0']).length;
    f.log.updateHighWatermark(10);
    f.log.updateConfig({ ...f.log.config, 'retention.bytes': 7 * size + 1 });
    expect(await f.log.deleteOldSegments()).toBe(0);
    f.log.updateConfig({ ...f.log.config, 'retention.bytes': 7 * size });
    expect(await f.log.deleteOldSegments()).toBe(1);
    f.log.updateConfig({ ...f.log.config, 'retention.bytes': 1 });
    expect(await f.log.deleteOldSegments()).toBe(2);
    expect(await values(f.log)).toBe('9');
  });

  it('goes by the files’ times where records have none', async () => {
    const f = fixture({ 'segment.bytes': 100, 'retention.ms': 1000 });
    const log = ordersLog(await f.open());
    await log.appendAsLeader(batchOf([{ value: 'a', timestamp: -1 }]), 0);
    f.time.advance(600);
    await log.appendAsLeader(batchOf([{ value: 'b', timestamp: -1 }]), 0);
    log.updateHighWatermark(2);
    f.time.advance(500);
    expect(await log.deleteOldSegments()).toBe(1);
    f.time.advance(600);
    expect(await log.deleteOldSegments()).toBe(1);
  });
});
