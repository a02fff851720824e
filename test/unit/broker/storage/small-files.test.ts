import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatOffsets,
  readLeaderEpochs,
  readOffsets,
  writeLeaderEpochs,
} from '../../../../broker/storage/checkpoints.ts';
import { ReplacedFile } from '../../../../broker/storage/durable-files.ts';
import {
  deletedDirectoryName,
  parseDirectoryName,
  parseSegmentFileName,
  segmentFileName,
} from '../../../../broker/storage/file-names.ts';
import { MemoryFileSystem } from '../../../support/memory-file-system.ts';
import { seededRandom } from '../../../support/seeded-random.ts';

describe('checkpoints of offsets', () => {
  it('have Kafka’s bytes', () => {
    const text = formatOffsets([
      { topic: 'orders', partition: 0, offset: 1042 },
      { topic: 'orders', partition: 1, offset: 998 },
    ]);
    expect(text).toBe('0\n2\norders 0 1042\norders 1 998\n');
    expect(formatOffsets([])).toBe('0\n0\n');
  });

  it('are read with any white space, and may be missing or empty', () => {
    const fs = new MemoryFileSystem();
    expect(readOffsets(fs, '/c')).toEqual(new Map());
    fs.writeFile('/c', '');
    expect(readOffsets(fs, '/c')).toEqual(new Map());
    fs.writeFile('/c', '0\r\n1\r\n  my-topic \t 3   77 \r\n');
    expect(readOffsets(fs, '/c')).toEqual(new Map([['my-topic-3', 77]]));
  });

  it.each(['1\n0\n', '0\n2\na 0 1\n', '0\n1\na 0 1\nb 0 1\n', '0\n1\na 0\n', '0\n1\na x 1\n', '0\n', 'rubbish'])(
    'are refused when they say %j',
    text => {
      const fs = new MemoryFileSystem();
      fs.writeFile('/c', text);
      expect(() => readOffsets(fs, '/c')).toThrow(/checkpoint file \/c is malformed/);
    },
  );

  it('of leader epochs are read as written', () => {
    const fs = new MemoryFileSystem();
    fs.makeDirectory('/p');
    const entries = [
      { epoch: 0, startOffset: 0 },
      { epoch: 7, startOffset: 120 },
    ];
    writeLeaderEpochs(fs, '/p', entries);
    expect(fs.readFile('/p/leader-epoch-checkpoint').toString()).toBe('0\n2\n0 0\n7 120\n');
    expect(readLeaderEpochs(fs, '/p')).toEqual(entries);
  });
});

describe('a file that is replaced again and again', () => {
  it('has the latest text, with as few writes as needed', async () => {
    const fs = new MemoryFileSystem();
    let version = 0;
    let writes = 0;
    const file = new ReplacedFile(fs, '/f', () => {
      writes++;
      return `version ${version}`;
    });
    const all: Promise<void>[] = [];
    for (version = 1; version <= 20; version++) all.push(file.write());
    await Promise.all(all);
    expect(fs.readFile('/f').toString()).toBe(`version ${version}`);
    expect(writes).toBeLessThan(4);
  });

  it('reports an error to those who wait for that write, and works on', async () => {
    const fs = new MemoryFileSystem();
    const file = new ReplacedFile(fs, '/f', () => 'text');
    const heal = fs.inject({ operation: 'write', code: 'EIO' });
    await expect(file.write()).rejects.toThrow(/EIO/);
    heal();
    await file.write();
    expect(fs.readFile('/f').toString()).toBe('text');
  });

  it('is there with an old or the new text after a loss of power', async () => {
    for (let seed = 1; seed < 40; seed++) {
      const fs = new MemoryFileSystem({ random: seededRandom(seed) });
      let text = 'one';
      const file = new ReplacedFile(fs, '/f', () => text);
      await file.write();
      text = 'two';
      const writing = file.write().catch(() => undefined);
      for (let i = 0; i < seed % 6; i++) await Promise.resolve();
      fs.crash();
      await writing;
      expect(['one', 'two']).toContain(fs.readFile('/f').toString());
    }
  });
});

describe('names', () => {
  it('of segments hold the base offset in 20 digits', () => {
    expect(segmentFileName(1042, '.timeindex')).toBe('00000000000000001042.timeindex');
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), baseOffset => {
        const name = segmentFileName(baseOffset, '.log');
        expect(parseSegmentFileName(`${name}.swap`)).toEqual({ baseOffset, suffix: '.log', mark: '.swap' });
      }),
    );
    for (const name of ['leader-epoch-checkpoint', '1.log', '99999999999999999999.log']) {
      expect(parseSegmentFileName(name)).toBeNull();
    }
  });

  it('of directories hold topic and partition', () => {
    const hex = '0123456789abcdef0123456789abcdef';
    expect(parseDirectoryName('my-topic-12')).toEqual({ kind: 'partition', topic: 'my-topic', partition: 12 });
    expect(parseDirectoryName('a--1')).toEqual({ kind: 'partition', topic: 'a-', partition: 1 });
    expect(parseDirectoryName(`orders-0.${hex}-delete`)).toEqual({ kind: 'delete' });
    expect(parseDirectoryName(`orders-0.${hex}-stray`)).toEqual({ kind: 'other' });
    expect(parseDirectoryName(`my-topic-12.${hex}-future`)).toEqual({
      kind: 'future',
      topic: 'my-topic',
      partition: 12,
    });
    expect(parseDirectoryName(`orders.${hex}-future`)).toEqual({ kind: 'foreign' });
    for (const name of ['lost+found', 'orders', '-3', 'orders-', 'orders-1a', 'orders-01']) {
      expect(parseDirectoryName(name)).toEqual({ kind: 'foreign' });
    }
  });

  it('of deleted directories are at most 255 characters long', () => {
    for (const length of [1, 100, 210, 211, 212, 249]) {
      const name = deletedDirectoryName('t'.repeat(length), 4711, Buffer.alloc(16, 0xab));
      expect(name.length).toBeLessThanOrEqual(255);
      expect(parseDirectoryName(name)).toEqual({ kind: 'delete' });
    }
  });
});
