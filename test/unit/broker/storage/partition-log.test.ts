import { describe, expect, it } from 'vitest';
import { batchOf, filesIn, fixture, ordersLog, readAll, recordsIn } from './support.ts';

const ALL = { upperBound: 'logEnd', minOneMessage: true } as const;

describe('appending as leader', () => {
  it('gives offsets in the order of the calls and writes them together', async () => {
    const { open } = fixture();
    const log = ordersLog(await open());
    const appends = [log.appendAsLeader(batchOf(['a', 'b']), 3), log.appendAsLeader(batchOf(['c']), 3)];
    expect(log.logEndOffset).toBe(0);
    const infos = await Promise.all(appends);
    expect(infos.map(info => [info.firstOffset, info.lastOffset, info.recordCount])).toEqual([
      [0, 1, 2],
      [2, 2, 1],
    ]);
    expect(log.logEndOffset).toBe(3);
    expect(await readAll(log)).toEqual([
      { offset: 0, value: 'a' },
      { offset: 1, value: 'b' },
      { offset: 2, value: 'c' },
    ]);
    expect(log.latestEpoch).toBe(3);
  });

  it('continues after a clean restart, and after a kill', async () => {
    const f = fixture();
    let manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['a']), 0);
    await manager.shutdown();
    manager = await f.open();
    await ordersLog(manager).appendAsLeader(batchOf(['b']), 1);
    f.fs.kill();
    manager = await f.open();
    const log = ordersLog(manager);
    expect(recordsIn((await log.read(0, 1000, ALL)).records).map(({ value }) => value)).toEqual(['a', 'b']);
    expect(log.latestEpoch).toBe(1);
    expect(filesIn(f.fs, '/data')).toContain('.lock');
  });
});
