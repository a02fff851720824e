import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { describe, expect, it } from 'vitest';
import { PooledAnswerMemory } from '../../../../broker/network/answer-memory.ts';
import { IndexCache } from '../../../../broker/storage/index-cache.ts';
import { OpenFiles, SegmentFile } from '../../../../broker/storage/open-files.ts';
import { TailCache } from '../../../../broker/storage/tail-cache.ts';
import { POISON, PoisoningPool } from '../../../support/poisoning-pool.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';

describe('the cache of last appends', () => {
  const frame = (length: number) => [Buffer.alloc(length, 1)];

  it('keeps nothing while nobody reads at the end', () => {
    const cache = new TailCache(100_000);
    cache.window().append(0, 1, frame(100), 100);
    expect(cache.usedBytes).toBe(0);
  });

  it('gives what was appended since, from any offset on', () => {
    const window = new TailCache(100_000).window();
    window.noteTailRead();
    for (let i = 0; i < 10; i++) window.append(i * 3, i * 3 + 3, frame(3000), 3000);
    expect(window.startOffset).toBe(0);
    expect(window.from(0).map(({ baseOffset }) => baseOffset)).toEqual([0, 3, 6, 9, 12, 15, 18, 21, 24, 27]);
    expect(window.from(22).map(({ baseOffset }) => baseOffset)).toEqual([21, 24, 27]);
    expect(window.from(30)).toEqual([]);
  });

  it('has small appends share memory that nobody else uses, and counts it', () => {
    const cache = new TailCache(100_000);
    const windows = [cache.window(), cache.window()];
    for (const window of windows) window.noteTailRead();
    for (let i = 0; i < 60; i++) {
      for (const [w, window] of windows.entries()) window.append(i, i + 1, [Buffer.alloc(100, 60 * w + i)], 100);
    }
    const frames = windows.map(window => window.from(0));
    expect(frames.map(of => of.map(({ nextOffset }) => nextOffset))).toEqual([
      [40, 60],
      [40, 60],
    ]);
    expect(frames[1]![1]!.bytes).toEqual(
      Buffer.concat(Array.from({ length: 20 }, (_, i) => Buffer.alloc(100, 100 + i))),
    );
    const memory = new Set(frames.flat().map(({ bytes }) => bytes.buffer));
    const held = [...memory].reduce((sum, { byteLength }) => sum + byteLength, 0);
    expect(held).toBeLessThanOrEqual(cache.usedBytes);
  });

  it('goes on behind what readers look at', () => {
    const window = new TailCache(100_000).window();
    window.noteTailRead();
    window.append(0, 1, [Buffer.from('abc')], 3);
    const { bytes } = window.from(0)[0]!;
    window.append(1, 2, [Buffer.from('def')], 3);
    expect(bytes.toString()).toBe('abc');
    expect(window.from(1)[0]!.bytes.toString()).toBe('abcdef');
  });

  it('keeps copies: the appended buffers belong to requests', () => {
    const window = new TailCache(100_000).window();
    window.noteTailRead();
    const bytes = Buffer.from('abc');
    window.append(0, 1, [bytes, Buffer.from('def')], 6);
    bytes.fill(0);
    expect(window.from(0)[0]!.bytes.toString()).toBe('abcdef');
  });

  it('stays within its budget over all logs, giving up the oldest', () => {
    const cache = new TailCache(60_000);
    const [a, b] = [cache.window(), cache.window()];
    for (const window of [a, b]) window.noteTailRead();
    for (let i = 0; i < 3000; i++) {
      (i % 3 === 0 ? a : b).append(i, i + 1, frame(i % 700), i % 700);
      expect(cache.usedBytes).toBeLessThanOrEqual(60_000);
      if (i % 50 === 0) a.noteTailRead();
    }
    expect(b.startOffset).toBeGreaterThan(2700);
    expect(b.from(3000)).toHaveLength(0);
    expect(b.from(2999)).toHaveLength(1);
  });

  it('leaves no gap where a frame was too large to keep', () => {
    const window = new TailCache(20_000).window();
    window.noteTailRead();
    window.append(0, 1, frame(10), 10);
    window.append(1, 2, frame(5_000), 5_000);
    window.append(2, 3, frame(10), 10);
    expect(window.from(0)).toEqual([]);
    expect(window.from(2)).toHaveLength(1);
  });

  it('frees what a log gives up', () => {
    const cache = new TailCache(100_000);
    const window = cache.window();
    window.noteTailRead();
    for (let i = 0; i < 5; i++) window.append(i, i + 1, frame(10), 10);
    window.clear();
    expect(cache.usedBytes).toBe(0);
    expect(window.startOffset).toBe(Infinity);
  });
});

describe('the memory of last appends', () => {
  const SIZE = 3000;
  const frameOf = (value: number) => [Buffer.alloc(SIZE, value)];

  /** A cache for four frames, whose memory spoils when it is given back. */
  function cached() {
    const pool = new PoisoningPool(1 << 20);
    const window = new TailCache(4 * 4300, pool).window();
    window.noteTailRead();
    let next = 0;
    const append = (value: number) => {
      window.append(next, next + 1, frameOf(value), SIZE);
      next++;
    };
    const read = (offset: number, memory?: PooledAnswerMemory) => {
      const frame = window.from(offset)[0]!;
      frame.lend(memory);
      return frame.bytes;
    };
    const fill = () => {
      for (let i = 0; i < 20; i++) append(99);
    };
    return { pool, window, append, read, fill };
  }

  it('is used again for later appends', () => {
    const { pool, fill } = cached();
    fill();
    expect(pool.returns).toBeGreaterThanOrEqual(15);
  });

  it("stays a reader's until its answer has been sent", () => {
    const { pool, append, read, fill } = cached();
    append(1);
    const [first, second] = [new PooledAnswerMemory(pool), new PooledAnswerMemory(pool)];
    const bytes = read(0, first);
    expect(read(0, second).buffer).toBe(bytes.buffer);
    fill();
    first.release();
    fill();
    expect(bytes.every(byte => byte === 1)).toBe(true);
    second.release();
    expect(bytes.every(byte => byte === POISON)).toBe(true);
  });

  it('goes back with its log, but not from under a reader', () => {
    const { pool, window, append, read } = cached();
    append(1);
    append(2);
    const memory = new PooledAnswerMemory(pool);
    const bytes = read(1, memory);
    window.clear();
    expect(pool.returns).toBe(1);
    expect(bytes.every(byte => byte === 2)).toBe(true);
    memory.release();
    expect(pool.returns).toBe(2);
  });

  it('that a slow reader holds does not hold what was given up later', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const { pool, window, append, read, fill } = cached();
    append(1);
    const memory = new PooledAnswerMemory(pool);
    const bytes = read(0, memory);
    append(2);
    const later = new WeakRef(window.from(1)[0]!);
    fill();
    // A reference that was just made is kept until the turn is over.
    await new Promise(resolve => setImmediate(resolve));
    collectGarbage();
    expect(later.deref()).toBeUndefined();
    expect(bytes.every(byte => byte === 1)).toBe(true);
    memory.release();
  });

  it('is never used again when a reader does not say when it is done', () => {
    const { pool, append, read, fill } = cached();
    append(1);
    const bytes = read(0);
    fill();
    expect(bytes.every(byte => byte === 1)).toBe(true);
    const memory = new PooledAnswerMemory(pool);
    for (let i = 0; i < 30; i++) expect(memory.take(SIZE).buffer).not.toBe(bytes.buffer);
  });
});

describe('open files', () => {
  function files(count: number, limit: number) {
    const fs = new MemoryFileSystem();
    const open = new OpenFiles(fs, limit);
    const all = Array.from({ length: count }, (_, i) => {
      fs.writeFile(`/${i}`, `file ${i}`);
      return new SegmentFile(open, `/${i}`);
    });
    return { fs, open, all };
  }

  const read = (file: SegmentFile) => {
    const target = Buffer.alloc(20);
    return target.toString('utf8', 0, file.handle.readSync(target, 0, 20, 0));
  };

  it('are never more than the limit, and opened again when needed', () => {
    const { open, all } = files(10, 3);
    for (let round = 0; round < 3; round++) {
      for (const [i, file] of all.entries()) {
        expect(read(file)).toBe(`file ${i}`);
        expect(open.count).toBeLessThanOrEqual(3);
      }
    }
  });

  it('are not closed under those who read', async () => {
    const { fs, all } = files(10, 1);
    const target = Buffer.alloc(20);
    const reading = all[0]!.use(async handle => {
      await Promise.resolve();
      return handle.read(target, 0, 20, 0);
    });
    for (const file of all.slice(1)) read(file);
    all[0]!.close();
    fs.removeFileSync('/0');
    expect(target.toString('utf8', 0, await reading)).toBe('file 0');
  });

  it('go with their names', () => {
    const { all } = files(2, 1);
    all[0]!.rename('/moved');
    read(all[1]!);
    expect(read(all[0]!)).toBe('file 0');
  });
});

describe('the cache of indexes', () => {
  it('drops the least recently used when it is full', () => {
    const cache = new IndexCache(100);
    const dropped: number[] = [];
    const holders = [0, 1, 2, 3].map(i => ({ dropIndexes: () => dropped.push(i) }));
    for (const holder of holders.slice(0, 3)) cache.add(holder, 30);
    cache.touch(holders[0]!);
    cache.add(holders[3]!, 30);
    expect(dropped).toEqual([1]);
    cache.add({ dropIndexes: () => dropped.push(99) }, 1000);
    expect(dropped).toEqual([1, 99]);
    cache.remove(holders[2]!);
    expect(dropped).toEqual([1, 99, 2]);
  });
});
