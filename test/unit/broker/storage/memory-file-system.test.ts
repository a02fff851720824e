import { describe, expect, it } from 'vitest';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

/** The content that a sequence of writes can leave after a loss of power: a prefix of them, the last one perhaps in part. */
function survivors(seed: number): string {
  const fs = new MemoryFileSystem({ random: seededRandom(seed) });
  const file = fs.open('/f', 'w+');
  file.writevSync([Buffer.from('safe')], 0);
  file.syncSync();
  file.writevSync([Buffer.from('1111')], 4);
  file.truncateSync(6);
  file.writevSync([Buffer.from('22')], 6);
  fs.crash();
  return fs.readFile('/f').toString();
}

describe('the disk in memory', () => {
  it('loses, when power is lost, only what was not flushed, from some point on', () => {
    const seen = new Set(Array.from({ length: 300 }, (_, seed) => survivors(seed)));
    const possible = ['safe', 'safe1', 'safe11', 'safe111', 'safe1111', 'safe112', 'safe1122'];
    expect([...seen].sort()).toEqual(possible.sort());
  });

  it('replays with the same seed', () => {
    for (let seed = 0; seed < 20; seed++) expect(survivors(seed)).toBe(survivors(seed));
  });

  it('keeps what the kernel took over when the process is killed, and drops its handles and locks', () => {
    const fs = new MemoryFileSystem({ random: seededRandom(1) });
    const file = fs.open('/f', 'w+');
    file.writevSync([Buffer.from('abc')], 0);
    expect(fs.lock('/.lock')).not.toBeNull();
    expect(fs.lock('/.lock')).toBeNull();
    fs.kill();
    expect(fs.readFile('/f').toString()).toBe('abc');
    expect(() => file.sizeSync()).toThrow(/after the crash/);
    expect(fs.lock('/.lock')).not.toBeNull();
  });

  it('fills up as a real one: a short write first, then an error', () => {
    const fs = new MemoryFileSystem();
    fs.setCapacity(10);
    const file = fs.open('/f', 'w+');
    expect(file.writevSync([Buffer.alloc(8)], 0)).toBe(8);
    expect(file.writevSync([Buffer.alloc(8)], 8)).toBe(2);
    expect(() => file.writevSync([Buffer.alloc(8)], 10)).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
    expect(file.writevSync([Buffer.alloc(8)], 0)).toBe(8);
  });

  it('fails as told', async () => {
    const fs = new MemoryFileSystem();
    const file = fs.open('/f', 'w+');
    fs.inject({ operation: 'write', code: 'EIO', after: 2, times: 1 });
    await expect(file.writev([Buffer.from('abcd')], 0)).rejects.toMatchObject({ code: 'EIO' });
    expect(fs.readFile('/f').toString()).toBe('ab');
    expect(await file.writev([Buffer.from('abcd')], 0)).toBe(4);
    const heal = fs.inject({ operation: 'sync', path: /^\/other/, code: 'EIO' });
    file.syncSync();
    heal();
  });
});
