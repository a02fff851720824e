import { describe, expect, it } from 'vitest';
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

  it('leaves writes to the thread pool for a while after they held up the loop', () => {
    const { scheduler: s, writer, endTurn, wait } = scheduler();
    for (const name of ['a', 'b', 'c']) s.schedule(writer(name, 12));
    expect(endTurn()).toEqual(['a now', 'b now', 'c in background']);
    s.schedule(writer('a', 1));
    expect(endTurn()).toEqual(['a in background']);
    wait(250);
    s.schedule(writer('a', 1));
    expect(endTurn()).toEqual(['a now']);
  });

  it('leaves them there as long as they are slow', async () => {
    const { scheduler: s, writer, endTurn, wait, setBackground } = scheduler();
    s.schedule(writer('a', 100));
    endTurn();
    setBackground(50);
    for (let i = 0; i < 10; i++) {
      s.schedule(writer('a', 1));
      expect(endTurn()).toEqual(['a in background']);
      await Promise.resolve();
      wait(200);
    }
    wait(50);
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
    await log.appendAsLeader(batchOf(['a']), 0);
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
      await log.appendAsLeader(batchOf(['a']), 0);
      const appends = Promise.allSettled(['b', 'c'].map(value => log.appendAsLeader(batchOf([value]), 0)));
      await new Promise(resolve => setImmediate(resolve));
      f.fs.kill();
      await appends;
      f.fs.open = MemoryFileSystem.prototype.open.bind(f.fs);
      const found = (await readAll(ordersLog(await f.open()))).map(({ value }) => value);
      expect(found).toEqual(['a', 'b', 'c'].slice(0, found.length));
      expect(found.length).toBeGreaterThan(0);
    }
  });
});
