import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { BatchCursor } from '../../../shared/records/batch-cursor.ts';
import * as batch from '../../../shared/records/batch.ts';
import { codecName, type CodecName } from '../../../shared/records/compression.ts';
import { RecordCursor } from '../../../shared/records/record-cursor.ts';
import type { Cluster } from '../../support/cluster.ts';
import type { ReadRecord } from './foreign-client.ts';

export interface StoredBatch {
  readonly codec: CodecName;
  /** -1: the producer was not idempotent. */
  readonly producerId: number;
  readonly records: readonly ReadRecord[];
}

/**
 * What a broker has on its disk of a partition: what a client sent shows there, whatever it or we believe. Transactions'
 * markers are left out.
 */
export function storedBatches(cluster: Cluster, broker: number, topic: string, partition: number): StoredBatch[] {
  const directory = join(cluster.brokers[broker]!.dataDirectory, `${topic}-${partition}`);
  const segments = readdirSync(directory).filter(name => name.endsWith('.log'));
  return segments.sort().flatMap(name => batchesOf(readFileSync(join(directory, name))));
}

function batchesOf(segment: Buffer): StoredBatch[] {
  const found: StoredBatch[] = [];
  const cursor = new BatchCursor().reset(segment);
  while (cursor.next()) {
    const bytes = segment.subarray(cursor.position, cursor.position + cursor.size);
    if (batch.isControl(bytes, 0)) continue;
    found.push({
      codec: codecName(batch.compressionCodec(bytes, 0)),
      producerId: batch.producerId(bytes, 0),
      records: recordsOf(bytes),
    });
  }
  return found;
}

function recordsOf(bytes: Buffer): ReadRecord[] {
  const records: ReadRecord[] = [];
  const cursor = new RecordCursor().reset(bytes, 0);
  while (cursor.next()) {
    records.push({
      offset: cursor.offset,
      timestamp: cursor.timestamp,
      key: cursor.key()?.toString() ?? null,
      value: cursor.value()!.toString(),
      headers: cursor.headers().map(({ key, value }) => [key, value!.toString()]),
    });
  }
  return records;
}
