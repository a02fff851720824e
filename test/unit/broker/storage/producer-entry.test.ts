import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { checkClientBatch, checkMarker, type OfferedBatch } from '../../../../broker/storage/producer-checks.ts';
import { ProducerEntry } from '../../../../broker/storage/producer-entry.ts';
import { CorruptSnapshotError, decodeSnapshot, encodeSnapshot } from '../../../../broker/storage/producer-snapshot.ts';

const MAX_SEQUENCE = 2 ** 31 - 1;

interface Written {
  readonly epoch?: number;
  readonly last: number;
  readonly count?: number;
  readonly offset: number;
  readonly timestamp?: number;
  readonly transactional?: boolean;
}

/** A producer that has written these batches. */
function producer(...batches: Written[]): ProducerEntry {
  const entry = new ProducerEntry(7);
  for (const { epoch = 0, last, count = 1, offset, timestamp = 1000, transactional = false } of batches) {
    const lastOffset = offset + count - 1;
    entry.append({
      epoch,
      lastSequence: last,
      lastOffset,
      offsetDelta: count - 1,
      timestamp,
      isTransactional: transactional,
    });
  }
  return entry;
}

function verdict(entry: ProducerEntry, batch: Partial<OfferedBatch>): string {
  try {
    checkClientBatch(entry, { epoch: 0, firstSequence: 0, isTransactional: false, ...batch });
    return 'fine';
  } catch (error) {
    return (error as { kind: string }).kind;
  }
}

describe('sequences', () => {
  it.each<[string, ProducerEntry, Partial<OfferedBatch>, string]>([
    ['the next one', producer({ last: 4, offset: 0 }), { firstSequence: 5 }, 'fine'],
    ['a gap', producer({ last: 4, offset: 0 }), { firstSequence: 6 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['one that was', producer({ last: 4, offset: 0 }), { firstSequence: 4 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['zero again', producer({ last: 4, offset: 0 }), { firstSequence: 0 }, 'OUT_OF_ORDER_SEQUENCE_NUMBER'],
    ['zero behind the largest', producer({ last: MAX_SEQUENCE, offset: 0 }), { firstSequence: 0 }, 'fine'],
    ['zero in a new epoch', producer({ last: 4, offset: 0 }), { epoch: 1, firstSequence: 0 }, 'fine'],
    [
      'another in a new epoch',
      producer({ last: 4, offset: 0 }),
      { epoch: 1, firstSequence: 5 },
      'OUT_OF_ORDER_SEQUENCE_NUMBER',
    ],
    ['an older epoch', producer({ epoch: 3, last: 4, offset: 0 }), { epoch: 2 }, 'INVALID_PRODUCER_EPOCH'],
    ['any of a producer that is not known', producer(), { firstSequence: 99 }, 'fine'],
    [
      'a batch outside the open transaction',
      producer({ last: 4, offset: 0, transactional: true }),
      { firstSequence: 5 },
      'INVALID_TXN_STATE',
    ],
    [
      'a batch inside the open transaction',
      producer({ last: 4, offset: 0, transactional: true }),
      { firstSequence: 5, isTransactional: true },
      'fine',
    ],
    [
      'the first batch of a transaction',
      producer({ last: 4, offset: 0 }),
      { firstSequence: 5, isTransactional: true },
      'fine',
    ],
  ])('%s', (_what, entry, batch, expected) => {
    expect(verdict(entry, batch)).toBe(expected);
  });

  it('after a marker only, the epoch still fences and data begin with 0', () => {
    const entry = new ProducerEntry(7);
    entry.endTransaction({ epoch: 2, coordinatorEpoch: 5, timestamp: 1 });
    expect(verdict(entry, { epoch: 1 })).toBe('INVALID_PRODUCER_EPOCH');
    expect(verdict(entry, { epoch: 2, firstSequence: 3 })).toBe('OUT_OF_ORDER_SEQUENCE_NUMBER');
    expect(verdict(entry, { epoch: 2, firstSequence: 0 })).toBe('fine');
  });

  it('say in one sentence what was wrong', () => {
    expect(() =>
      checkClientBatch(producer({ last: 4, offset: 0 }), { epoch: 0, firstSequence: 9, isTransactional: false }),
    ).toThrow('Sequence 9 of producer 7 is out of order: the last one was 4.');
  });
});

describe('markers', () => {
  it('of an older coordinator or an older producer are refused', () => {
    const entry = new ProducerEntry(7);
    entry.endTransaction({ epoch: 2, coordinatorEpoch: 5, timestamp: 1 });
    const marker = { epoch: 2, coordinatorEpoch: 5, timestamp: 2 };
    expect(() => checkMarker(entry, marker)).not.toThrow();
    expect(() => checkMarker(entry, { ...marker, coordinatorEpoch: 4 })).toThrow(
      expect.objectContaining({ kind: 'TRANSACTION_COORDINATOR_FENCED' }),
    );
    expect(() => checkMarker(entry, { ...marker, epoch: 1 })).toThrow(
      expect.objectContaining({ kind: 'INVALID_PRODUCER_EPOCH' }),
    );
  });

  it('end the transaction; one of a newer epoch makes sequences begin anew', () => {
    const entry = producer({ last: 4, offset: 10, count: 5, transactional: true });
    expect(entry.currentTxnFirstOffset).toBe(10);
    entry.append({
      epoch: 0,
      lastSequence: 5,
      lastOffset: 20,
      offsetDelta: 0,
      timestamp: 9,
      isTransactional: true,
    });
    expect(entry.currentTxnFirstOffset).toBe(10);
    entry.endTransaction({ epoch: 0, coordinatorEpoch: 1, timestamp: 30 });
    expect([entry.currentTxnFirstOffset, entry.lastSequence, entry.lastTimestamp]).toEqual([-1, 5, 30]);
    entry.endTransaction({ epoch: 1, coordinatorEpoch: 1, timestamp: 31 });
    expect([entry.epoch, entry.lastSequence]).toEqual([1, -1]);
  });
});

describe('duplicates', () => {
  it('are found among the last five batches of the epoch', () => {
    const entry = producer(
      ...[0, 1, 2, 3, 4, 5].map(n => ({ last: n * 2 + 1, count: 2, offset: n * 10, timestamp: n })),
    );
    expect(entry.find(0, 0, 1)).toBeNull();
    for (const n of [1, 2, 3, 4, 5]) {
      expect(entry.find(0, n * 2, n * 2 + 1)).toEqual({ firstOffset: n * 10, lastOffset: n * 10 + 1, timestamp: n });
    }
    expect(entry.find(1, 10, 11)).toBeNull();
    expect(entry.find(0, 10, 10)).toBeNull();
    expect(entry.find(0, 9, 11)).toBeNull();
  });

  it('are found where the sequence goes around within the batch', () => {
    const entry = producer({ last: 1, count: 4, offset: 50 });
    expect(entry.find(0, MAX_SEQUENCE - 1, 1)).toEqual({ firstOffset: 50, lastOffset: 53, timestamp: 1000 });
  });

  it('are not looked for in another epoch', () => {
    const entry = producer({ last: 0, offset: 0 }, { epoch: 1, last: 0, offset: 1 });
    expect(entry.find(0, 0, 0)).toBeNull();
    expect(entry.find(1, 0, 0)).toMatchObject({ firstOffset: 1 });
  });

  it('any way of going on and coming again is told apart, whatever the sizes (property)', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 1000 }), { minLength: 1, maxLength: 30 });
    fc.assert(
      fc.property(sizes, fc.integer({ min: 0, max: MAX_SEQUENCE }), (counts, start) => {
        const entry = new ProducerEntry(1);
        const written: { first: number; last: number; offset: number }[] = [];
        let next = start;
        let offset = 0;
        for (const count of counts) {
          const last = (next + count - 1) % 2 ** 31;
          expect(verdict(entry, { firstSequence: next })).toBe('fine');
          written.push({ first: next, last, offset });
          offset += count;
          entry.append({
            epoch: 0,
            lastSequence: last,
            lastOffset: offset - 1,
            offsetDelta: count - 1,
            timestamp: 1,
            isTransactional: false,
          });
          next = (last + 1) % 2 ** 31;
        }
        for (const { first, last, offset: firstOffset } of written.slice(-5)) {
          expect(entry.find(0, first, last)?.firstOffset).toBe(firstOffset);
        }
        for (const { first, last } of written.slice(0, -5)) expect(entry.find(0, first, last)).toBeNull();
      }),
    );
  });
});

describe('snapshots', () => {
  const sample = () => {
    const marked = producer({ last: 11, count: 2, offset: 100, timestamp: 5 });
    marked.endTransaction({ epoch: 0, coordinatorEpoch: 3, timestamp: 9 });
    const open = new ProducerEntry(2 ** 40);
    open.append({
      epoch: 9,
      lastSequence: MAX_SEQUENCE,
      lastOffset: 2 ** 45,
      offsetDelta: 7,
      timestamp: 2 ** 41,
      isTransactional: true,
    });
    const onlyMarker = new ProducerEntry(3);
    onlyMarker.endTransaction({ epoch: 4, coordinatorEpoch: 1, timestamp: 8 });
    return [marked, open, onlyMarker];
  };
  const facts = (entry: ProducerEntry) => [
    entry.producerId,
    entry.epoch,
    entry.lastSequence,
    entry.lastOffset,
    entry.lastOffsetDelta,
    entry.lastTimestamp,
    entry.coordinatorEpoch,
    entry.currentTxnFirstOffset,
  ];

  it('come back as they were', () => {
    const read = decodeSnapshot(encodeSnapshot(sample(), 3));
    expect(read.map(facts)).toEqual(sample().map(facts));
    expect(read.map(facts)).toEqual([
      [7, 0, 11, 101, 1, 9, 3, -1],
      [2 ** 40, 9, MAX_SEQUENCE, 2 ** 45, 7, 2 ** 41, -1, 2 ** 45 - 7],
      [3, 4, -1, -1, 0, 8, 1, -1],
    ]);
  });

  it('that are damaged anywhere, or cut, are refused', () => {
    const content = encodeSnapshot(sample(), 3);
    for (let at = 0; at < content.length; at++) {
      const damaged = Buffer.from(content);
      damaged[at]! ^= 0x40;
      expect(() => decodeSnapshot(damaged), `byte ${at}`).toThrow(CorruptSnapshotError);
      expect(() => decodeSnapshot(content.subarray(0, at)), `${at} bytes`).toThrow(CorruptSnapshotError);
    }
    expect(() => decodeSnapshot(Buffer.concat([content, Buffer.alloc(46)]))).toThrow(CorruptSnapshotError);
  });
});
