import { BatchBuilder } from '../../shared/records/batch-builder.ts';

/** Bytes of a record's value: a log line or a small event with its envelope. */
const VALUE_BYTES = 1024;

export interface SampleBatch {
  readonly bytes: Buffer;
  readonly recordCount: number;
}

/** One uncompressed batch of exactly `size` bytes: records of 1 KiB and one that fills up the rest. */
export function batchOfSize(size: number, valueBytes = VALUE_BYTES): SampleBatch {
  const now = Date.now();
  const builder = new BatchBuilder(size + valueBytes);
  const value = Buffer.alloc(valueBytes, 'All that is logged is append-only. ');
  // Bound of what a record has besides its value, so that the last one always fits.
  const overhead = 32;
  while (builder.sizeInBytes + 2 * (valueBytes + overhead) < size) builder.append(now, null, value);
  const rest = size - builder.sizeInBytes;
  builder.append(now, null, Buffer.alloc(lastValueBytes(rest, builder.recordCount), '.'));
  const bytes = builder.build();
  if (bytes.length !== size) throw new Error(`made a batch of ${bytes.length} bytes instead of ${size}`);
  return { bytes, recordCount: builder.recordCount };
}

/** The value length with which record number `index` takes exactly `total` bytes. */
function lastValueBytes(total: number, index: number): number {
  for (let length = total; length > 0; length--) {
    const probe = new BatchBuilder(total + 128);
    const before = probe.sizeInBytes;
    probe.append(0, null, Buffer.alloc(length), [], index);
    if (probe.sizeInBytes - before === total) return length;
  }
  throw new Error(`no record takes ${total} bytes`);
}
