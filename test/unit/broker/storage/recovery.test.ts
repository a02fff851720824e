import { describe, expect, it } from 'vitest';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { batchOf, filesIn, type Fixture, fixture, ordersLog, readAll } from './support.ts';

const DIR = '/data/orders-0';
const FIRST = `${DIR}/00000000000000000000`;

async function values(log: PartitionLog): Promise<string[]> {
  return (await readAll(log)).map(({ value }) => value);
}

/** Makes `orders-0` with batches of two records (a0, a1), (b0, b1), … and ends the process. */
async function written(f: Fixture, batches: string, end: 'clean' | 'kill'): Promise<void> {
  const manager = await f.open();
  const log = ordersLog(manager);
  for (const [i, name] of [...batches].entries()) {
    const records = [0, 1].map(n => ({ value: `${name}${n}`, timestamp: 1000 + i * 10 + n }));
    await log.appendAsLeader(batchOf(records), i);
  }
  if (end === 'clean') await manager.shutdown();
  else f.fs.kill();
}

/** Cuts or prolongs a file. */
function change(f: Fixture, path: string, edit: (bytes: Buffer) => Buffer): void {
  f.fs.writeFile(path, edit(f.fs.readFile(path)));
}

function bases(f: Fixture): number[] {
  return filesIn(f.fs, DIR)
    .filter(name => name.endsWith('.log'))
    .map(name => Number.parseInt(name));
}

describe('a log torn at any byte of its last two batches', () => {
  it('recovers to exactly the batches that are whole, and goes on', async () => {
    const size = batchOf(['a0', 'a1']).length;
    for (let length = 2 * size; length <= 4 * size; length++) {
      const f = fixture({ 'index.interval.bytes': 0 });
      await written(f, 'abcd', 'kill');
      change(f, `${FIRST}.log`, bytes => bytes.subarray(0, length));
      const log = ordersLog(await f.open());
      const whole = Math.floor(length / size);
      expect(log.logEndOffset).toBe(2 * whole);
      expect(await values(log)).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1', 'd0', 'd1'].slice(0, 2 * whole));
      expect(log.latestEpoch).toBe(whole - 1);
      expect((await log.appendAsLeader(batchOf(['x']), 9)).firstOffset).toBe(2 * whole);
      expect((await values(log)).at(-1)).toBe('x');
      expect(f.fs.stat(`${FIRST}.log`)!.size).toBe(whole * size + batchOf(['x']).length);
    }
  });

  it('recovers the same way if single bytes of them are wrong', async () => {
    const size = batchOf(['a0', 'a1']).length;
    for (let at = 2 * size; at < 4 * size; at += 3) {
      // Base offset and leader epoch are not covered by the checksum.
      if (at % size < 8 || (at % size >= 12 && at % size < 16)) continue;
      const f = fixture();
      await written(f, 'abcd', 'kill');
      change(f, `${FIRST}.log`, bytes => {
        bytes[at]! ^= 0x55;
        return bytes;
      });
      const log = ordersLog(await f.open());
      expect(log.logEndOffset).toBe(at < 3 * size ? 4 : 6);
    }
  });

  it.each([
    ['zeros', Buffer.alloc(1000)],
    ['noise', Buffer.from(Array.from({ length: 500 }, (_, i) => (i * 37) & 0xff))],
    ['a batch that goes back', batchOf(['old'], { baseOffset: 1 })],
    ['a batch below the base', batchOf(['old'], { baseOffset: -5 })],
  ])('cuts off %s behind the last batch', async (_what, garbage) => {
    const f = fixture();
    await written(f, 'ab', 'kill');
    change(f, `${FIRST}.log`, bytes => Buffer.concat([bytes, garbage]));
    expect(await values(ordersLog(await f.open()))).toEqual(['a0', 'a1', 'b0', 'b1']);
  });
});

describe('recovery of several segments', () => {
  const config = { 'segment.bytes': 200 };

  it('drops the segments behind a damaged one', async () => {
    const f = fixture(config);
    await written(f, 'abcdef', 'kill');
    f.fs.writeFile('/data/recovery-point-offset-checkpoint', '0\n0\n');
    expect(bases(f)).toEqual([0, 4, 8]);
    change(f, `${DIR}/00000000000000000004.log`, bytes => bytes.subarray(0, -1));
    const log = ordersLog(await f.open());
    expect(await values(log)).toEqual(['a0', 'a1', 'b0', 'b1', 'c0', 'c1']);
    expect(bases(f)).toEqual([0, 4]);
  });

  it('looks only at what is not below the recovery point', async () => {
    const f = fixture(config);
    await written(f, 'abcdef', 'kill');
    f.fs.writeFile('/data/recovery-point-offset-checkpoint', '0\n1\norders 0 8\n');
    change(f, `${FIRST}.log`, bytes => {
      bytes[70]! ^= 1;
      return bytes;
    });
    expect(ordersLog(await f.open()).logEndOffset).toBe(12);
  });

  it('restarts the log at its start when less than that is left', async () => {
    const f = fixture(config);
    await written(f, 'abcdef', 'kill');
    f.fs.writeFile('/data/log-start-offset-checkpoint', '0\n1\norders 0 11\n');
    change(f, `${DIR}/00000000000000000008.log`, bytes => bytes.subarray(0, 10));
    const log = ordersLog(await f.open());
    expect([log.logStartOffset, log.logEndOffset]).toEqual([11, 11]);
    expect(bases(f)).toEqual([11]);
  });

  it('rebuilds the epochs that the batches tell', async () => {
    const f = fixture(config);
    await written(f, 'abcdef', 'kill');
    const before = f.fs.readFile(`${DIR}/leader-epoch-checkpoint`).toString();
    f.fs.writeFile('/data/recovery-point-offset-checkpoint', '0\n1\norders 0 4\n');
    f.fs.writeFile(`${DIR}/leader-epoch-checkpoint`, '0\n2\n0 0\n1 2\n');
    await f.open();
    expect(f.fs.readFile(`${DIR}/leader-epoch-checkpoint`).toString()).toBe(before);
    expect(before).toBe('0\n6\n0 0\n1 2\n2 4\n3 6\n4 8\n5 10\n');
  });

  it('forgets an epoch under which nothing was written', async () => {
    for (const isClean of [true, false]) {
      const f = fixture(config);
      const manager = await f.open();
      const log = ordersLog(manager);
      await log.appendAsLeader(batchOf(['a']), 2);
      log.assignEpochStart(9, 1);
      expect(log.latestEpoch).toBe(9);
      if (isClean) await manager.shutdown();
      else f.fs.kill();
      expect(ordersLog(await f.open()).latestEpoch).toBe(2);
    }
  });

  it.each([
    ['empty', ''],
    ['torn', '0\n6\n0 0\n1'],
    ['of another version', '7\n0\n'],
  ])('reads all batches for the epochs when their file is %s', async (_what, text) => {
    const f = fixture(config);
    await written(f, 'abcdef', 'clean');
    const before = f.fs.readFile(`${DIR}/leader-epoch-checkpoint`).toString();
    f.fs.writeFile(`${DIR}/leader-epoch-checkpoint`, text);
    const log = ordersLog(await f.open());
    expect(f.fs.readFile(`${DIR}/leader-epoch-checkpoint`).toString()).toBe(before);
    expect(log.endOffsetForEpoch(2)).toEqual({ leaderEpoch: 2, endOffset: 6 });
  });
});

describe('index files', () => {
  const config = { 'segment.bytes': 400, 'index.interval.bytes': 1 };

  /** What lookups by offset and time find, everywhere. */
  async function lookups(log: PartitionLog): Promise<unknown[]> {
    const found: unknown[] = [];
    for (let offset = 0; offset < log.logEndOffset; offset++) found.push((await readAll(log, offset))[0]);
    for (let time = 1000; time < 1090; time += 3) found.push(await log.offsetForTimestamp(time));
    return found;
  }

  it.each<[string, (f: Fixture, name: string) => void]>([
    ['are missing', (f, name) => f.fs.removeFileSync(`${DIR}/${name}`)],
    ['have an impossible size', (f, name) => change(f, `${DIR}/${name}`, bytes => bytes.subarray(0, -1))],
    ['go backwards', (f, name) => change(f, `${DIR}/${name}`, bytes => Buffer.concat([bytes, bytes]))],
    ['are empty', (f, name) => change(f, `${DIR}/${name}`, () => Buffer.alloc(0))],
    [
      'have Kafka’s reserved space',
      (f, name) => change(f, `${DIR}/${name}`, b => Buffer.concat([b, Buffer.alloc(2400)])),
    ],
  ])('that %s lead to the same answers', async (_what, damage) => {
    for (const end of ['clean', 'kill'] as const) {
      const expected = fixture(config);
      await written(expected, 'abcdefghi', end);
      const answers = await lookups(ordersLog(await expected.open()));
      const f = fixture(config);
      await written(f, 'abcdefghi', end);
      for (const name of filesIn(f.fs, DIR).filter(file => /index$/.test(file))) damage(f, name);
      expect(await lookups(ordersLog(await f.open()))).toEqual(answers);
    }
  });

  it('without a log are removed', async () => {
    const f = fixture(config);
    await written(f, 'ab', 'clean');
    f.fs.writeFile(`${DIR}/00000000000000000777.index`, Buffer.alloc(8));
    f.fs.writeFile(`${DIR}/00000000000000000777.timeindex`, Buffer.alloc(12));
    await f.open();
    expect(filesIn(f.fs, DIR).filter(name => name.includes('777'))).toEqual([]);
  });

  it('are complete after a clean shutdown', async () => {
    const f = fixture(config);
    await written(f, 'abc', 'clean');
    const size = batchOf(['a0', 'a1']).length;
    const index = f.fs.readFile(`${FIRST}.index`);
    expect(index.toString('hex')).toBe(
      [3, size, 5, 2 * size].map(value => value.toString(16).padStart(8, '0')).join(''),
    );
    const times = f.fs.readFile(`${FIRST}.timeindex`);
    expect([Number(times.readBigInt64BE(12)), times.readInt32BE(20)]).toEqual([1021, 5]);
  });
});

describe('what a crash interrupted', () => {
  it('is completed or undone: deletions, and replacements of segments', async () => {
    const f = fixture({ 'segment.bytes': 200 });
    await written(f, 'abcdef', 'clean');
    f.fs.writeFile(`${DIR}/00000000000000000099.log.deleted`, 'x');
    f.fs.writeFile(`${FIRST}.log.cleaned`, batchOf(['never'], {}));
    f.fs.writeFile(`${FIRST}.log.swap`, batchOf(['never either'], {}));
    expect(await values(ordersLog(await f.open()))).toEqual([...'abcdef'].flatMap(name => [`${name}0`, `${name}1`]));
    expect(filesIn(f.fs, DIR).filter(name => /deleted|cleaned|swap/.test(name))).toEqual([]);
  });

  it('lets a complete replacement take the place of what it covers', async () => {
    const f = fixture({ 'segment.bytes': 200 });
    await written(f, 'abcdef', 'clean');
    const compacted = Buffer.concat([
      batchOf(['A'], { baseOffset: 1 }),
      batchOf(['B'], { baseOffset: 7, partitionLeaderEpoch: 3 }),
    ]);
    f.fs.writeFile(`${FIRST}.log.swap`, compacted);
    expect(await readAll(ordersLog(await f.open()))).toEqual([
      { offset: 1, value: 'A' },
      { offset: 7, value: 'B' },
      { offset: 8, value: 'e0' },
      { offset: 9, value: 'e1' },
      { offset: 10, value: 'f0' },
      { offset: 11, value: 'f1' },
    ]);
    expect(bases(f)).toEqual([0, 8]);
  });

  it('leaves files of others alone', async () => {
    const f = fixture();
    await written(f, 'ab', 'clean');
    for (const name of ['00000000000000000000.log.bak', 'notes.txt']) {
      f.fs.writeFile(`${DIR}/${name}`, 'kept');
    }
    const manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['x']), 5);
    await manager.shutdown();
    for (const name of ['00000000000000000000.log.bak', 'notes.txt']) {
      expect(f.fs.readFile(`${DIR}/${name}`).toString()).toBe('kept');
    }
  });
});

describe('a loss of power', () => {
  it('leaves a valid log that is a prefix of what was written, with everything below the recovery point', async () => {
    for (let seed = 1; seed <= 60; seed++) {
      const f = fixture({ 'segment.bytes': 500, 'index.interval.bytes': 100 }, seed);
      const manager = await f.open();
      const log = ordersLog(manager);
      const all: string[] = [];
      for (let i = 0; i < 30; i++) {
        all.push(`record ${i}`);
        await log.appendAsLeader(batchOf([`record ${i}`]), Math.floor(i / 7));
        if (i === seed % 30) await log.flush();
      }
      const safe = log.recoveryPoint;
      f.fs.crash();
      const recovered = ordersLog(await f.open());
      const found = await values(recovered);
      expect(found, `seed ${seed}`).toEqual(all.slice(0, found.length));
      expect(found.length, `seed ${seed}`).toBeGreaterThanOrEqual(safe);
      expect(recovered.logEndOffset).toBe(found.length);
      if (found.length > 0) expect(recovered.latestEpoch).toBe(Math.floor((found.length - 1) / 7));
      expect((await recovered.appendAsLeader(batchOf(['x']), 9)).firstOffset).toBe(found.length);
    }
  });
});
