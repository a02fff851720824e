import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DEFAULT_STORAGE_OPTIONS, LogManager } from '../../../../broker/storage/log-manager.ts';
import { systemClock, systemTimers } from '../../../../shared/runtime/clock.ts';
import { silentLogger } from '../../../../shared/runtime/logger.ts';
import { systemRandom } from '../../../../shared/runtime/random.ts';
import { realFileSystem } from '../../../../shared/runtime/real-file-system.ts';
import { BUILT_IN_TOPIC_CONFIG, type TopicConfigValues } from '../../../../shared/topics/topic-config.ts';
import { batchOf, ordersLog, readAll, recordsIn } from './support.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-disk-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function open(
  config: Partial<TopicConfigValues> = {},
  { longestBlockingRead } = DEFAULT_STORAGE_OPTIONS,
): Promise<LogManager> {
  return LogManager.open({
    fs: realFileSystem,
    clock: systemClock,
    timers: systemTimers,
    random: systemRandom,
    logger: silentLogger,
    directories: [join(directory, 'logs')],
    options: { ...DEFAULT_STORAGE_OPTIONS, longestBlockingRead },
    topicConfig: () => ({ ...BUILT_IN_TOPIC_CONFIG, ...config }),
    brokerId: 1,
    clusterId: 'oVf2zRjJQIupaA0fXAUBLw',
    onDirectoryFailure: () => undefined,
  });
}

describe('a log on a real disk', () => {
  it('takes many appends over many segments, keeps them over a restart, and deletes them', async () => {
    const config = { 'segment.bytes': 100_000, 'retention.ms': -1 };
    let manager = await open(config);
    let log = ordersLog(manager);
    const expected = Array.from({ length: 2000 }, (_, i) => `${i} ${'x'.repeat(500)}`);
    await Promise.all(expected.map(value => log.appendAsLeader(batchOf([value]), 0)));
    await manager.shutdown();
    manager = await open(config);
    log = ordersLog(manager);
    expect((await readAll(log)).map(({ value }) => value)).toEqual(expected);
    expect((await readAll(log, 1234))[0]).toEqual({ offset: 1234, value: expected[1234] });
    await log.truncateTo(777);
    expect(await readAll(log)).toHaveLength(777);
    await manager.deleteLog('orders', 0);
    expect(manager.allLogs()).toEqual([]);
    await manager.shutdown();
  });
});

describe('reading while the log changes', () => {
  it.each([
    ['by the thread pool', { ...DEFAULT_STORAGE_OPTIONS, longestBlockingRead: 0 }],
    ['blocking', DEFAULT_STORAGE_OPTIONS],
  ])(
    '%s gives records that were at their offsets, whatever is cut off, rolled or deleted meanwhile',
    async (_, options) => {
      const seed = Date.now() % 100_000;
      const random = seededRandom(seed);
      const manager = await open(
        { 'segment.bytes': 2000, 'index.interval.bytes': 300, 'file.delete.delay.ms': 1 },
        options,
      );
      const log = ordersLog(manager);
      let isOver = false;
      let reads = 0;
      const reader = async () => {
        while (!isOver) {
          const from = log.logStartOffset + random.int(log.logEndOffset - log.logStartOffset + 1);
          try {
            const { records } = await log.read(from, 100 + random.int(3000), {
              upperBound: 'logEnd',
              minOneMessage: true,
            });
            for (const { offset, value } of recordsIn(records)) expect(value, `seed ${seed}`).toBe(`record ${offset}`);
            reads++;
          } catch (error) {
            expect(error, `seed ${seed}`).toMatchObject({ kind: 'OFFSET_OUT_OF_RANGE' });
          }
          await log.offsetForTimestamp(1000 + from);
          await new Promise(resolve => setImmediate(resolve));
        }
      };
      const readers = [reader(), reader(), reader(), reader()];
      for (let i = 0; i < 400; i++) {
        const next = log.logEndOffset;
        const batches = [0, 1, 2].map(n => batchOf([{ value: `record ${next + n}`, timestamp: 1000 + next + n }]));
        await Promise.all(batches.map(batch => log.appendAsLeader(batch, i)));
        log.updateHighWatermark(log.logEndOffset);
        if (i % 7 === 0) await log.truncateTo(log.logEndOffset - random.int(log.logEndOffset - log.logStartOffset));
        if (i % 11 === 0) {
          log.incrementLogStartOffset(log.logStartOffset + random.int(log.highWatermark - log.logStartOffset + 1));
          await log.deleteOldSegments();
        }
      }
      isOver = true;
      await Promise.all(readers);
      expect(manager.offlineDirectories, `seed ${seed}`).toEqual([]);
      expect(reads).toBeGreaterThan(100);
      await manager.shutdown();
    },
  );
});

const canMount = process.platform === 'linux' && process.getuid?.() === 0 && tryMount();

/** Whether this process may mount file systems: root in a container often may not. */
function tryMount(): boolean {
  const at = mkdtempSync(join(tmpdir(), 'samsa-mount-'));
  const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tmpfs', at]).status === 0;
  if (mounted) spawnSync('umount', [at]);
  rmSync(at, { recursive: true, force: true });
  return mounted;
}

describe.runIf(canMount)('a full disk', () => {
  beforeEach(() => {
    spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', directory]);
  });
  afterEach(() => {
    spawnSync('umount', ['-l', directory]);
  });

  it('takes the directory offline and leaves a log with exactly what was acknowledged', async () => {
    const manager = await open();
    const log = ordersLog(manager);
    let acknowledged = 0;
    // 30,000 bytes are no multiple of a page: the last write comes back short.
    const fill = async () => {
      for (;;) acknowledged = (await log.appendAsLeader(batchOf(['x'.repeat(30_000)]), 0)).lastOffset + 1;
    };
    await expect(fill()).rejects.toMatchObject({ kind: 'STORAGE_ERROR' });
    expect(acknowledged).toBeGreaterThan(10);
    expect(manager.offlineDirectories).toHaveLength(1);
    const size = statSync(join(directory, 'logs/orders-0/00000000000000000000.log')).size;
    expect(size).toBe(acknowledged * batchOf(['x'.repeat(30_000)]).length);

    // With more room the same log goes on.
    spawnSync('mount', ['-o', 'remount,size=2m', directory]);
    const again = await open();
    expect(ordersLog(again).logEndOffset).toBe(acknowledged);
    expect((await ordersLog(again).appendAsLeader(batchOf(['y']), 1)).firstOffset).toBe(acknowledged);
    await again.shutdown();
  });
});
