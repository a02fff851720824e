import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { DumpContext } from '../../../../admin-cli/dump/context.ts';
import { Findings } from '../../../../admin-cli/dump/findings.ts';
import { dumpOffsetIndex, dumpTimeIndex, dumpTransactionIndex } from '../../../../admin-cli/dump/indexes.ts';
import { LogFile } from '../../../../admin-cli/dump/log-batches.ts';
import { dumpLog } from '../../../../admin-cli/dump/log.ts';
import { dumpProducerSnapshot } from '../../../../admin-cli/dump/producer-snapshot.ts';
import { recordContents } from '../../../../admin-cli/format/dumped-batch.ts';
import { LineOutput } from '../../../../admin-cli/support/line-output.ts';
import { BatchBuilder, type BatchOptions } from '../../../../shared/records/batch-builder.ts';
import { CODECS } from '../../../../shared/records/compression.ts';
import { crc32c } from '../../../../shared/records/crc32c.ts';

const T = 1700000000000;
const BASE = '00000000000000000000';
let directory: string;
let findings: Findings;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'samsa-dump-'));
  findings = new Findings();
});
afterEach(() => rmSync(directory, { recursive: true }));

function write(name: string, ...pieces: Uint8Array[]): string {
  const file = join(directory, name);
  writeFileSync(file, Buffer.concat(pieces));
  return file;
}

function batchOf(values: readonly string[], options: BatchOptions = {}): Buffer {
  const builder = new BatchBuilder();
  for (const value of values) builder.append(T, Buffer.from('k'), Buffer.from(value));
  return builder.build({ partitionLeaderEpoch: 0, ...options });
}

function context(more: Partial<DumpContext> = {}): DumpContext {
  return {
    deep: false,
    contents: false,
    skipMetadata: false,
    contentsOf: recordContents(
      bytes => bytes,
      bytes => bytes,
    ),
    maxBytes: Infinity,
    maxMessageSize: 5_242_880,
    verifyOnly: false,
    sanityOnly: false,
    findings,
    ...more,
  };
}

async function lines(dump: (output: LineOutput) => Promise<void> | void): Promise<string[]> {
  let text = '';
  const output = new LineOutput(piece => {
    text += piece;
    return Promise.resolve();
  });
  await dump(output);
  await output.flush();
  return text.split('\n').slice(0, -1);
}

const log = (file: string, more: Partial<DumpContext> = {}) => lines(output => dumpLog(file, 0, context(more), output));

describe('.log', () => {
  const BATCH =
    'baseOffset: 0 lastOffset: 1 count: 2 baseSequence: -1 lastSequence: -1 producerId: -1 producerEpoch: -1 partitionLeaderEpoch: 0 isTransactional: false isControl: false deleteHorizonMs: OptionalLong.empty position: 0 CreateTime: 1700000000000 size: 79 magic: 2 compresscodec: none crc: 591986460 isvalid: true';

  test('a line a batch', async () => {
    const second = batchOf(['x'], {
      baseOffset: 2,
      producerId: 7,
      producerEpoch: 1,
      baseSequence: 5,
      codec: CODECS.gzip,
    });
    const file = write(`${BASE}.log`, batchOf(['v', 'w']), second);
    const [start, first, next, ...rest] = await log(file);
    expect([start, first, rest]).toEqual(['Log starting offset: 0', BATCH, []]);
    expect(next).toMatch(
      /^baseOffset: 2 lastOffset: 2 count: 1 baseSequence: 5 lastSequence: 5 producerId: 7 producerEpoch: 1 /,
    );
    expect(next).toMatch(/ position: 79 .* compresscodec: gzip /);
  });

  test('records, with and without what they hold', async () => {
    const file = write(`${BASE}.log`, batchOf(['v', 'w']));
    expect(await log(file, { deep: true, contents: true })).toEqual([
      'Log starting offset: 0',
      BATCH,
      '| offset: 0 CreateTime: 1700000000000 keySize: 1 valueSize: 1 sequence: -1 headerKeys: [] key: k payload: v',
      '| offset: 1 CreateTime: 1700000000000 keySize: 1 valueSize: 1 sequence: -1 headerKeys: [] key: k payload: w',
    ]);
    expect((await log(file, { deep: true }))[2]).toBe(
      '| offset: 0 CreateTime: 1700000000000 keySize: 1 valueSize: 1 sequence: -1 headerKeys: []',
    );
    expect((await log(file, { deep: true, contents: true, skipMetadata: true }))[2]).toBe('| key: k payload: v');
  });

  test('nulls, headers and sequences', async () => {
    const builder = new BatchBuilder();
    builder.append(T, null, null, [
      { key: 'a', value: Buffer.from('1') },
      { key: 'b', value: null },
    ]);
    const file = write(`${BASE}.log`, builder.build({ producerId: 1, producerEpoch: 0, baseSequence: 3 }));
    expect((await log(file, { deep: true, contents: true }))[2]).toBe(
      '| offset: 0 CreateTime: 1700000000000 keySize: -1 valueSize: -1 sequence: 3 headerKeys: [a,b]',
    );
  });

  test('a transaction marker', async () => {
    const builder = new BatchBuilder();
    builder.append(T, Buffer.from('00000001', 'hex'), Buffer.from('000000000003', 'hex'));
    const file = write(`${BASE}.log`, builder.build({ isControl: true, isTransactional: true, producerId: 1 }));
    expect((await log(file, { deep: true, contents: true }))[2]).toMatch(/ endTxnMarker: COMMIT coordinatorEpoch: 3$/);
  });

  test('a batch that was damaged is shown as such, bytes that are none are counted', async () => {
    const damaged = batchOf(['v', 'w']);
    damaged[70]! ^= 1;
    const file = write(`${BASE}.log`, damaged, batchOf(['x'], { baseOffset: 2 }).subarray(0, 40));
    const shown = await log(file);
    expect(shown[1]).toMatch(/isvalid: false$/);
    expect(shown[2]).toBe(`Found 40 invalid bytes at the end of ${BASE}.log`);
    expect(await log(write(`${BASE}.log`, batchOf(['v']), Buffer.alloc(100, 0xff)))).toContain(
      `Found 100 invalid bytes at the end of ${BASE}.log`,
    );
  });

  test('offsets that are missing are found', async () => {
    const file = write(`${BASE}.log`, batchOf(['v', 'w']), batchOf(['x'], { baseOffset: 5 }));
    await log(file, { deep: true });
    expect(findings.lines()).toEqual([`Non-consecutive offsets in ${file}`, '  1 is followed by 5']);
  });

  test('--max-bytes ends it early', async () => {
    const file = write(`${BASE}.log`, batchOf(['v', 'w']), batchOf(['x'], { baseOffset: 2 }));
    expect(await log(file, { maxBytes: 100 })).toEqual(['Log starting offset: 0', BATCH]);
  });

  test('a file is read through a window, whatever the size of its batches', () => {
    const sizes = [10, 700_000, 10, 3_000_000, 10, 10];
    const batches = sizes.map((size, index) => batchOf(['x'.repeat(size)], { baseOffset: index }));
    const file = new LogFile(write(`${BASE}.log`, ...batches));
    try {
      const seen = [...file.batches()].map(({ bytes, at, size }) => Buffer.from(bytes.subarray(at, at + size)).length);
      expect(seen).toEqual(batches.map(batch => batch.length));
      const [, second] = batches;
      const position = batches[0]!.length;
      expect(file.batches(position).next().value).toMatchObject({ position, size: second!.length });
    } finally {
      file.close();
    }
  });
});

function entries(...rows: readonly (readonly number[])[]): Buffer {
  return Buffer.concat(
    rows.map(row => {
      const bytes = Buffer.alloc(row.length === 3 ? 12 : 8);
      const [timestamp, offset, position] = row.length === 3 ? [row[0]!, row[1]!, 0] : [null, row[0]!, row[1]!];
      if (timestamp !== null) bytes.writeBigInt64BE(BigInt(timestamp));
      bytes.writeInt32BE(offset, timestamp === null ? 0 : 8);
      if (timestamp === null) bytes.writeInt32BE(position, 4);
      return bytes;
    }),
  );
}

describe('indexes', () => {
  beforeEach(() => {
    write(`${BASE}.log`, batchOf(['v', 'w']), batchOf(['x'], { baseOffset: 2 }));
  });
  const index = (file: string, more: Partial<DumpContext> = {}) =>
    lines(output => dumpOffsetIndex(file, 0, context(more), output));
  const times = (file: string, more: Partial<DumpContext> = {}) =>
    lines(output => dumpTimeIndex(file, 0, context(more), output));

  test('.index: offsets and positions, up to the zeros', async () => {
    const file = write(`${BASE}.index`, entries([1, 0], [2, 79], [0, 0]));
    expect(await index(file)).toEqual(['offset: 1 position: 0', 'offset: 2 position: 79']);
    expect(findings.lines()).toEqual([]);
    expect(await index(file, { verifyOnly: true })).toEqual([]);
  });

  test('.index: an entry that points elsewhere is found', async () => {
    const file = write(`${BASE}.index`, entries([2, 0], [3, 5000]));
    await index(file);
    expect(findings.lines()).toEqual([
      `Mismatches in :${file}`,
      '  Index offset: 2, log offset: 1',
      '  Index offset: 3, log offset: -1',
    ]);
  });

  test('.index: empty, and sane', async () => {
    const file = write(`${BASE}.index`);
    expect(await index(file)).toEqual([`${file} is empty.`]);
    write(`${BASE}.index`, entries([1, 0]));
    expect(await index(file, { sanityOnly: true })).toEqual([`${file} passed sanity check.`]);
    write(`${BASE}.index`, entries([1, 0]), Buffer.alloc(3));
    await expect(index(file, { sanityOnly: true })).rejects.toThrow(/has 11 bytes, which is not a multiple of 8/);
  });

  test('.timeindex', async () => {
    write(`${BASE}.index`, entries([2, 79]));
    const file = write(`${BASE}.timeindex`, entries([T, 1, 0], [T, 2, 0], [T + 1, 7, 0]));
    expect(await times(file)).toEqual([
      `timestamp: ${T} offset: 1`,
      `timestamp: ${T} offset: 2`,
      `timestamp: ${T + 1} offset: 7`,
    ]);
    expect(findings.lines()).toEqual([
      `Found out of order timestamp in :${file}`,
      `  Index timestamp: ${T}, Previously indexed timestamp: ${T}`,
      `The following indexed offsets are not found in the log of ${file}`,
      'Indexed offset: 7, found log offset: -1',
    ]);
  });

  test('.timeindex: another timestamp than the batch has is found', async () => {
    write(`${BASE}.index`);
    const file = write(`${BASE}.timeindex`, entries([T + 5, 1, 0]));
    await times(file);
    expect(findings.lines()).toEqual([
      `Found timestamp mismatch in :${file}`,
      `  Index timestamp: ${T + 5}, log timestamp: ${T}`,
    ]);
  });

  test('.txnindex', async () => {
    const bytes = '00000000000000000fa100000000000000c800000000000000d700000000000000d8';
    const file = write(`${BASE}.txnindex`, Buffer.from(bytes, 'hex'));
    expect(await lines(output => dumpTransactionIndex(file, output))).toEqual([
      'version: 0 producerId: 4001 firstOffset: 200 lastOffset: 215 lastStableOffset: 216',
    ]);
  });
});

describe('.snapshot', () => {
  const BYTES =
    '000195e330bb00000001' +
    '0000000000000fa1' +
    '0000' +
    '0000000b' +
    '0000000000000065' +
    '00000001' +
    '0000018bcfe56809' +
    '00000003' +
    'ffffffffffffffff';
  const snapshot = (content: Buffer) => {
    const file = write(`${BASE}.snapshot`, content);
    return lines(output => dumpProducerSnapshot(file, output));
  };

  test('a line a producer', async () => {
    expect(await snapshot(Buffer.from(BYTES, 'hex'))).toEqual([
      'producerId: 4001 producerEpoch: 0 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong.empty lastTimestamp: 1700000000009 firstSequence: 10 lastSequence: 11 lastOffset: 101 offsetDelta: 1 timestamp: 1700000000009',
    ]);
  });

  test('a producer of which only a marker was seen, in a transaction', async () => {
    const content = Buffer.from(BYTES, 'hex');
    content.writeBigInt64BE(-1n, 24);
    content.writeBigInt64BE(55n, 48);
    content.writeUInt32BE(crc32c(content, 6, content.length), 2);
    expect(await snapshot(content)).toEqual([
      'producerId: 4001 producerEpoch: 0 coordinatorEpoch: 3 currentTxnFirstOffset: OptionalLong[55] lastTimestamp: 1700000000009 ',
    ]);
  });

  test('damage is named', async () => {
    const damaged = Buffer.from(BYTES, 'hex');
    damaged[20]! ^= 1;
    await expect(snapshot(damaged)).rejects.toThrow(
      /Snapshot is corrupt \(CRC is no longer valid\). Stored crc: 2514694331, computed crc: /,
    );
    const future = Buffer.from(BYTES, 'hex');
    future.writeInt16BE(9);
    await expect(snapshot(future)).rejects.toThrow(/unknown file version 9/);
    await expect(snapshot(Buffer.alloc(3))).rejects.toThrow(/has only 3 bytes/);
  });
});
