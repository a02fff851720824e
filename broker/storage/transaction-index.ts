import { readInt64, writeInt64 } from '../../shared/records/int64.ts';

/** An entry of a segment's `.txnindex` (Kafka: `AbortedTxn`). Offsets are inclusive. */
export interface AbortedTransaction {
  readonly producerId: number;
  readonly firstOffset: number;
  /** That of the abort marker. */
  readonly lastOffset: number;
  /** As it was when the transaction had ended. */
  readonly lastStableOffset: number;
}

/** Bytes of an entry: int16 version, then four int64. */
const ENTRY_SIZE = 34;
const VERSION = 0;

/** The entries of a `.txnindex` file, in the order of their markers; what is no whole entry at the end is passed over. */
export function decodeTransactionIndex(content: Buffer): AbortedTransaction[] {
  const entries: AbortedTransaction[] = [];
  for (let at = 0; at + ENTRY_SIZE <= content.length; at += ENTRY_SIZE) {
    entries.push({
      producerId: readInt64(content, at + 2),
      firstOffset: readInt64(content, at + 10),
      lastOffset: readInt64(content, at + 18),
      lastStableOffset: readInt64(content, at + 26),
    });
  }
  return entries;
}

/** The content of a `.txnindex` file. */
export function encodeTransactionIndex(entries: readonly AbortedTransaction[]): Buffer {
  const content = Buffer.alloc(entries.length * ENTRY_SIZE);
  for (const [i, { producerId, firstOffset, lastOffset, lastStableOffset }] of entries.entries()) {
    const at = i * ENTRY_SIZE;
    content.writeInt16BE(VERSION, at);
    writeInt64(content, producerId, at + 2);
    writeInt64(content, firstOffset, at + 10);
    writeInt64(content, lastOffset, at + 18);
    writeInt64(content, lastStableOffset, at + 26);
  }
  return content;
}
