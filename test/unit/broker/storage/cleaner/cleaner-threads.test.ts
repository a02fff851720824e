import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CleaningExecutor, CleaningSteps } from '../../../../../broker/storage/cleaner/steps.ts';
import type { LogManager } from '../../../../../broker/storage/log-manager.ts';
import type { PartitionLog } from '../../../../../broker/storage/partition-log.ts';
import type { CleanerOptions } from '../../../../../broker/storage/storage-setup.ts';
import { InlineCleaning } from '../../../../support/inline-cleaning.ts';
import { waitFor } from '../../../../support/wait.ts';
import { type Fixture, fixture, TOPIC_ID } from '../support.ts';
import { BACKOFF_MS, cleanAll, CLEANER_OPTIONS, lines, put } from './support.ts';

/** `log.cleaner.threads` above one, and settings that change while threads are at work. */

let f: Fixture;
let manager: LogManager;
let options: CleanerOptions;
let threads: Thread[];

/** A thread whose work can be held up between two of its steps. */
class Thread implements CleaningExecutor {
  /** Steps that it has begun, and of those the ones that are not over. */
  readonly begun: (keyof CleaningSteps)[] = [];
  underWay = 0;
  isHeld = false;
  readonly #inner: InlineCleaning;

  constructor() {
    this.#inner = new InlineCleaning(f.fs, () => new Promise<void>(resolve => setImmediate(resolve)));
  }

  get isStarted(): boolean {
    return this.#inner.isStarted;
  }

  async run<K extends keyof CleaningSteps>(
    step: K,
    order: CleaningSteps[K]['order'],
    signal: AbortSignal,
  ): Promise<CleaningSteps[K]['result']> {
    this.begun.push(step);
    this.underWay++;
    try {
      while (this.isHeld && !signal.aborted) await new Promise<void>(resolve => setImmediate(resolve));
      return await this.#inner.run(step, order, signal);
    } finally {
      this.underWay--;
    }
  }

  stop(): Promise<void> {
    return this.#inner.stop();
  }
}

function logOf(partition: number): PartitionLog {
  return manager.getOrCreateLog('orders', partition, { topicId: TOPIC_ID, isNew: true });
}

/** Three values of one key in each of so many logs, of which one is to stay, and the active segment. */
async function fill(logs: number): Promise<void> {
  for (let partition = 0; partition < logs; partition++)
    for (const value of ['1', '2', '3', '4'])
      await put(logOf(partition), [{ key: 'a', value, timestamp: f.time.now() }]);
}

const whatIsLeft = async (logs: number) =>
  Promise.all(Array.from({ length: logs }, (_, partition) => lines(logOf(partition))));
const CLEANED = ['2 a=3', '3 a=4'];

/** Time goes on until something is so. */
const until = (what: string, isSo: () => boolean) =>
  waitFor(
    what,
    () => {
      f.time.advance(BACKOFF_MS);
      return isSo();
    },
    { everyMs: 0, timeoutMs: 5_000 },
  );

beforeEach(async () => {
  f = fixture({ 'cleanup.policy': ['compact'], 'segment.bytes': 80, 'min.cleanable.dirty.ratio': 0.01 });
  options = { ...CLEANER_OPTIONS, threads: 2 };
  threads = [];
  const executor = () => {
    const thread = new Thread();
    threads.push(thread);
    return thread;
  };
  manager = await f.open({ cleaner: { options: () => options, executor } });
});

afterEach(async () => {
  for (const thread of threads) thread.isHeld = false;
  await manager.shutdown();
});

test('two threads clean two logs at once, and never the same one', async () => {
  for (const thread of threads) thread.isHeld = true;
  await fill(3);
  await until('both to be at work', () => threads.every(({ underWay }) => underWay === 1));
  expect(manager.allLogs().filter(({ compaction }) => compaction.isRunning)).toHaveLength(2);
  for (const thread of threads) thread.isHeld = false;
  await cleanAll(f, manager);
  expect(await whatIsLeft(3)).toEqual([CLEANED, CLEANED, CLEANED]);
  expect(manager.cleaner!.statistics.cleanings).toBe(3);
  for (const { begun } of threads) expect(begun).not.toEqual([]);
});

test('a log is left to the thread that is at it, while another finds nothing to do', async () => {
  for (const thread of threads) thread.isHeld = true;
  await fill(1);
  await until('one to be at work', () => threads.some(({ underWay }) => underWay === 1));
  const { looks } = manager.cleaner!.statistics;
  await until('the other to have looked', () => manager.cleaner!.statistics.looks > looks + 2);
  expect(threads.map(({ underWay }) => underWay).sort()).toEqual([0, 1]);
});

test('fewer threads: the one too many ends what it is at, and begins nothing more', async () => {
  for (const thread of threads) thread.isHeld = true;
  await fill(2);
  await until('both to be at work', () => threads.every(({ underWay }) => underWay === 1));
  options = { ...options, threads: 1 };
  manager.cleaner!.start();
  for (const thread of threads) thread.isHeld = false;
  await cleanAll(f, manager);
  expect(await whatIsLeft(2)).toEqual([CLEANED, CLEANED]);
  const [, second] = threads;
  const stepsBefore = second!.begun.length;
  await fill(2);
  await cleanAll(f, manager);
  expect([second!.begun.length, second!.isStarted, threads.length]).toEqual([stepsBefore, false, 2]);
});

test('more threads begin at once, beside those that are at work; none at all stop when theirs is done', async () => {
  for (const thread of threads) thread.isHeld = true;
  await fill(4);
  await until('both to be at work', () => threads.every(({ underWay }) => underWay === 1));
  options = { ...options, threads: 3 };
  manager.cleaner!.start();
  threads[2]!.isHeld = true;
  await until('a third one to be at work', () => threads[2]!.underWay === 1);
  options = { ...options, threads: 0 };
  for (const thread of threads) thread.isHeld = false;
  await until('all to have ended', () => threads.every(({ isStarted, underWay }) => !isStarted && underWay === 0));
  expect(manager.cleaner!.statistics.cleanings).toBe(3);
  options = { ...options, threads: 1 };
  manager.cleaner!.start();
  await cleanAll(f, manager);
  expect(await whatIsLeft(4)).toEqual([CLEANED, CLEANED, CLEANED, CLEANED]);
});

test('buffers of another size from the next cleaning on: what is under way ends with those it has', async () => {
  for (const thread of threads) thread.isHeld = true;
  await fill(2);
  await until('both to be at work', () => threads.every(({ underWay }) => underWay === 1));
  options = { ...options, dedupeBufferBytes: 10 * 24, ioBufferBytes: 64 };
  for (const thread of threads) thread.isHeld = false;
  await cleanAll(f, manager);
  expect(await whatIsLeft(2)).toEqual([CLEANED, CLEANED]);
  await fill(2);
  await cleanAll(f, manager);
  expect(await whatIsLeft(2)).toEqual([
    ['6 a=3', '7 a=4'],
    ['6 a=3', '7 a=4'],
  ]);
});
