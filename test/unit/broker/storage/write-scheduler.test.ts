import { describe, expect, it } from 'vitest';
import type { PartitionLog } from '../../../../broker/storage/partition-log.ts';
import { WriteScheduler } from '../../../../broker/storage/write-scheduler.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { batchOf, fixture, ordersLog, readAll } from './support.ts';

describe('the end of a turn', () => {
  /** A clock that moves when a write takes time. */
  function scheduler() {
    let now = 0;
    let background = 0;
    const calls: string[] = [];
    const clock = { now: () => now, monotonic: () => now };
    const writer = (name: string, ms: number) => ({
      writeNow() {
        calls.push(`${name} now`);
        now += ms;
      },
      async writeInBackground() {
        calls.push(`${name} in background`);
        now += background;
      },
    });
    const turns: (() => void)[] = [];
    const timers = { ...systemTimers, endOfTurn: (callback: () => void) => void turns.push(callback) };
    const endTurn = () => {
      for (const callback of turns.splice(0)) callback();
      return calls.splice(0);
    };
    const wait = (ms: number) => (now += ms);
    const setBackground = (ms: number) => (background = ms);
    return { scheduler: new WriteScheduler(clock, timers), writer, endTurn, wait, setBackground };
  }

  it('writes all logs that got something, once', () => {
    const { scheduler: s, writer, endTurn } = scheduler();
    s.schedule(writer('a', 1));
    s.schedule(writer('b', 1));
    expect(endTurn()).toEqual(['a now', 'b now']);
    expect(endTurn()).toEqual([]);
  });

  it('leaves the rest to the thread pool when a turn takes too long', () => {
    const { scheduler: s, writer, endTurn } = scheduler();
    for (const name of ['a', 'b', 'c']) s.schedule(writer(name, 12));
    expect(endTurn()).toEqual(['a now', 'b now', 'c in background']);
    s.schedule(writer('a', 1));
    expect(endTurn()).toEqual(['a now']);
  });

  it('goes on blocking after turns that were slow now and then', () => {
    const { scheduler: s, writer, endTurn } = scheduler();
    for (const ms of [21, 21, 1, 100, 1, 21, 21, 1]) {
      s.schedule(writer('a', ms));
      expect(endTurn()).toEqual(['a now']);
    }
  });

  it('leaves everything to the thread pool after slow turns in a row, and tries again at longer intervals', () => {
    const { scheduler: s, writer, endTurn, wait } = scheduler();
    const turn = (ms: number) => {
      s.schedule(writer('a', ms));
      return endTurn();
    };
    turn(21);
    turn(21);
    for (const backgroundMs of [25, 50, 100, 200, 400, 800, 1600, 3200, 6400, 8000, 8000]) {
      expect(turn(21)).toEqual(['a now']);
      wait(backgroundMs - 1);
      expect(turn(1)).toEqual(['a in background']);
      wait(1);
    }
    for (const ms of [1, 21, 21]) expect(turn(ms)).toEqual(['a now']);
    turn(21);
    wait(25);
    expect(turn(1)).toEqual(['a now']);
  });

  it('does not try while writes in the background are made to wait', async () => {
    const { scheduler: s, writer, endTurn, wait, setBackground } = scheduler();
    for (let i = 0; i < 3; i++) {
      s.schedule(writer('a', 100));
      endTurn();
    }
    setBackground(201);
    for (let i = 0; i < 10; i++) {
      s.schedule(writer('a', 1));
      expect(endTurn()).toEqual(['a in background']);
      await Promise.resolve();
      wait(24);
    }
    wait(1);
    s.schedule(writer('a', 1));
    expect(endTurn()).toEqual(['a now']);
  });
});

/** A disk on which synchronous writes hold up the loop, by the clock of the fixture. */
function slowDisk(f: ReturnType<typeof fixture>): void {
  const open = f.fs.open.bind(f.fs);
  f.fs.open = (path, flags) => {
    const handle = open(path, flags);
    const writevSync = handle.writevSync.bind(handle);
    return Object.assign(handle, {
      writevSync: (buffers: Buffer[], position: number) => {
        f.time.advance(21);
        return writevSync(buffers, position);
      },
    });
  };
}

/** Slow turns until the next append is written in the background. Returns what was appended. */
async function appendSlowly(log: PartitionLog): Promise<string[]> {
  const values = ['slow', 'slower', 'slowest'];
  for (const value of values) await log.appendAsLeader(batchOf([value]), 0);
  return values;
}

describe('background writes', () => {
  it('keep the order, and everything that comes in meanwhile', async () => {
    const f = fixture({ 'segment.bytes': 2000 });
    const manager = await f.open();
    slowDisk(f);
    const log = ordersLog(manager);
    const expected = Array.from({ length: 100 }, (_, i) => `${i}`);
    const appends: Promise<unknown>[] = [];
    for (const value of expected) {
      appends.push(log.appendAsLeader(batchOf([value]), 0));
      if (Number(value) % 3 === 0) await new Promise(resolve => setImmediate(resolve));
    }
    await Promise.all(appends);
    expect((await readAll(log)).map(({ value }) => value)).toEqual(expected);
    await log.appendAsLeader(batchOf(['last']), 0);
    const cut = log.appendAsLeader(batchOf(['cut']), 0);
    await log.truncateTo(101);
    await cut;
    expect(log.logEndOffset).toBe(101);
  });

  it('that fail leave the file as it was, and take the directory offline', async () => {
    const f = fixture();
    const manager = await f.open();
    slowDisk(f);
    const log = ordersLog(manager);
    await appendSlowly(log);
    const size = log.size;
    f.fs.inject({ operation: 'write', path: /\.log$/, code: 'ENOSPC', after: 20, short: true });
    const appends = [log.appendAsLeader(batchOf(['b']), 0), log.appendAsLeader(batchOf(['c']), 0)];
    for (const result of await Promise.allSettled(appends)) expect(result.status).toBe('rejected');
    expect(f.fs.stat('/data/orders-0/00000000000000000000.log')!.size).toBe(size);
    expect(manager.offlineDirectories).toEqual(['/data']);
  });

  it('may be torn by a kill, which leaves a valid log', async () => {
    for (let seed = 1; seed <= 30; seed++) {
      const f = fixture({}, seed);
      const manager = await f.open();
      slowDisk(f);
      const log = ordersLog(manager);
      const slow = await appendSlowly(log);
      const appends = Promise.allSettled(['b', 'c'].map(value => log.appendAsLeader(batchOf([value]), 0)));
      await new Promise(resolve => setImmediate(resolve));
      f.fs.kill();
      await appends;
      f.fs.open = MemoryFileSystem.prototype.open.bind(f.fs);
      const found = (await readAll(ordersLog(await f.open()))).map(({ value }) => value);
      expect(found).toEqual([...slow, 'b', 'c'].slice(0, found.length));
      expect(found.length).toBeGreaterThanOrEqual(slow.length);
    }
  });
});
