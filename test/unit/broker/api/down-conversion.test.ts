import { describe, expect, test } from 'vitest';
import { DownConverter } from '../../../../broker/api/down-conversion.ts';
import { fetchError, type FetchedPartition } from '../../../../broker/replication/fetch-target.ts';
import { ErrorCode } from '../../../../shared/protocol/errors.ts';
import { ZERO_UUID } from '../../../../shared/protocol/schema.ts';
import * as batch from '../../../../shared/records/batch.ts';
import { CODECS, type CodecId } from '../../../../shared/records/compression.ts';
import { readMessageSet } from '../../../../shared/records/message-set.ts';
import { systemTimers } from '../../../../shared/runtime/clock.ts';
import { batchOf } from '../storage/support.ts';

function batchAt(offset: number, values: readonly string[], codec: CodecId = CODECS.none): Buffer {
  const bytes = batchOf(values, { codec });
  batch.setBaseOffset(bytes, 0, offset);
  return bytes;
}

function fetched(pieces: readonly Buffer[], fetchOffset = 0): FetchedPartition {
  const unknown = { currentLeaderEpoch: -1, lastFetchedEpoch: -1, logStartOffset: -1 };
  const target = { topic: 't', topicId: ZERO_UUID, partition: 0, fetchOffset, maxBytes: 1 << 20, ...unknown };
  const sizeInBytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
  return { ...fetchError(target, ErrorCode.NONE), records: pieces, sizeInBytes, highWatermark: 9 };
}

function messages({ records }: FetchedPartition): [offset: number, value: string][] {
  const set = Buffer.concat(records);
  return [...readMessageSet(set)].map(({ offset, value }) => [offset, value?.toString() ?? 'null']);
}

const convert = (found: FetchedPartition, magic: 0 | 1 = 1) => new DownConverter(systemTimers).convert(found, magic);

describe('down-conversion', () => {
  test.each([0, 1] as const)('makes message sets of magic %i, offsets kept', async magic => {
    const found = fetched([Buffer.concat([batchAt(5, ['a', 'b']), batchAt(7, ['c'])]), batchAt(8, ['d'])], 6);
    const converted = await convert(found, magic);
    expect(messages(converted)).toEqual([
      [6, 'b'],
      [7, 'c'],
      [8, 'd'],
    ]);
    expect(converted).toMatchObject({ errorCode: ErrorCode.NONE, highWatermark: 9 });
    expect(converted.sizeInBytes).toBe(Buffer.concat(converted.records).length);
    expect(batch.magic(converted.records[0]!, 0)).toBe(magic);
  });

  test('stops before it gets larger than what was read, but not before the first batch', async () => {
    // Small records are larger in the older formats.
    const pieces = Array.from({ length: 50 }, (_, i) =>
      batchAt(
        i * 20,
        Array.from({ length: 20 }, () => 'x'),
      ),
    );
    const found = fetched(pieces);
    const converted = await convert(found);
    expect(converted.sizeInBytes).toBeLessThanOrEqual(found.sizeInBytes);
    expect(messages(converted).length).toBeGreaterThan(100);
    const single = await convert(fetched([pieces[0]!]));
    expect(messages(single)).toHaveLength(20);
  });

  test('gives what comes before a zstd batch, and an error only if that is the first', async () => {
    const zstd = batchAt(2, ['c'], CODECS.zstd);
    expect(messages(await convert(fetched([batchAt(0, ['a', 'b']), zstd])))).toHaveLength(2);
    const refused = await convert(fetched([zstd]));
    expect(refused).toMatchObject({ errorCode: ErrorCode.UNSUPPORTED_COMPRESSION_TYPE, records: [] });
  });

  test('a damaged batch is told as such', async () => {
    const damaged = batchAt(0, ['a'], CODECS.gzip);
    damaged.fill(0xff, 70);
    expect((await convert(fetched([damaged]))).errorCode).toBe(ErrorCode.CORRUPT_MESSAGE);
  });

  test('a first batch that did not fit the fetch is answered with a message that cannot fit either', async () => {
    const cut = batchAt(0, ['x'.repeat(1000)]).subarray(0, 100);
    const { records } = await convert(fetched([cut]));
    const [answer] = records;
    expect(answer!.readInt32BE(8)).toBeGreaterThan(answer!.length);
  });

  test('lets the loop do other things, and does one partition after the other', async () => {
    const converter = new DownConverter(systemTimers);
    const pieces = Array.from({ length: 40 }, (_, i) => batchAt(i, ['x'.repeat(50_000)]));
    let turns = 0;
    const interval = setInterval(() => (turns += 1), 0);
    const order: number[] = [];
    await Promise.all(
      [0, 1].map(async index => {
        await converter.convert(fetched(pieces), 1);
        order.push(index, turns);
      }),
    );
    clearInterval(interval);
    const [first, turnsOfFirst, second, turnsOfBoth] = order;
    expect([first, second]).toEqual([0, 1]);
    expect(turnsOfFirst).toBeGreaterThan(0);
    expect(turnsOfBoth).toBeGreaterThan(turnsOfFirst!);
  });
});
