import { describe, expect, test } from 'vitest';
import { LogCopy } from '../../../../broker/replication/log-copy.ts';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { batchOf, fixture, ordersLog, readAll } from '../storage/support.ts';

async function logs(): Promise<{ current: PartitionLog; future: PartitionLog; copy: LogCopy }> {
  const manager = await fixture({ 'retention.ms': -1 }).open({ directories: ['/a', '/b'] });
  const current = ordersLog(manager);
  const future = manager.createFutureLog(current, current.directory === '/a' ? '/b' : '/a');
  return { current, future, copy: new LogCopy(current, future) };
}

async function append(log: PartitionLog, epoch: number, ...values: string[]): Promise<void> {
  for (const value of values) await log.appendAsLeader(batchOf([value]), epoch);
}

async function copyAll(copy: LogCopy): Promise<void> {
  while ((await copy.step(1)) > 0);
}

const values = async (log: PartitionLog) => (await readAll(log)).map(({ value }) => value);

describe('copying a log into its future one', () => {
  test('takes one read a step, and the high watermark and log start with it', async () => {
    const { current, future, copy } = await logs();
    await append(current, 0, 'a', 'b', 'c');
    current.updateHighWatermark(2);
    expect(await copy.step(1)).toBeGreaterThan(0);
    expect(future.logEndOffset).toBe(1);
    current.incrementLogStartOffset(1);
    await copyAll(copy);
    expect(await values(future)).toEqual(['b', 'c']);
    expect([future.logStartOffset, future.highWatermark, copy.missing]).toEqual([1, 2, 0]);
  });

  test('loses what the current log loses, however much that has grown again since', async () => {
    const { current, future, copy } = await logs();
    await append(current, 0, 'a', 'b', 'c');
    await copyAll(copy);
    await current.truncateTo(1);
    await append(current, 1, 'x', 'y', 'z');
    await copyAll(copy);
    expect(await values(future)).toEqual(['a', 'x', 'y', 'z']);
    expect(future.endOffsetForEpoch(0)).toEqual({ leaderEpoch: 0, endOffset: 1 });
  });

  test('begins anew where the current log does', async () => {
    const { current, future, copy } = await logs();
    await append(current, 0, 'a', 'b');
    await copyAll(copy);
    await current.truncateFullyAndStartAt(100);
    await append(current, 1, 'c');
    await copyAll(copy);
    expect(await readAll(future)).toEqual([{ offset: 100, value: 'c' }]);
  });

  test('cuts a future log of an earlier life to where both agree, by epochs', async () => {
    const { current, future, copy } = await logs();
    await append(future, 0, 'a', 'b');
    await append(future, 1, 'only', 'here');
    await append(current, 0, 'a', 'b');
    await append(current, 2, 'x');
    await copy.align();
    expect(future.logEndOffset).toBe(2);
    await copyAll(copy);
    expect(await values(future)).toEqual(['a', 'b', 'x']);
  });

  test('cuts one that is longer', async () => {
    const { current, future, copy } = await logs();
    await append(future, 0, 'a', 'b', 'c');
    await append(current, 0, 'a');
    await copy.align();
    expect(await values(future)).toEqual(['a']);
  });

  test('appends nothing once it is cancelled', async () => {
    const { current, future, copy } = await logs();
    await append(current, 0, 'a');
    expect(await copy.step(1, () => true)).toBe(0);
    expect(future.logEndOffset).toBe(0);
  });
});
