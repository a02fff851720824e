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
export const TRANSACTION_ENTRY_SIZE = 34;
const VERSION = 0;

/** The entries of a `.txnindex` file, in the order of their markers; what is no whole entry at the end is passed over. */
export function decodeTransactionIndex(content: Buffer): AbortedTransaction[] {
  const entries: AbortedTransaction[] = [];
  for (let at = 0; at + TRANSACTION_ENTRY_SIZE <= content.length; at += TRANSACTION_ENTRY_SIZE)
    entries.push(decodeEntry(content, at));
  return entries;
}

function decodeEntry(content: Buffer, at: number): AbortedTransaction {
  return {
    producerId: readInt64(content, at + 2),
    firstOffset: readInt64(content, at + 10),
    lastOffset: readInt64(content, at + 18),
    lastStableOffset: readInt64(content, at + 26),
  };
}

/**
 * Collects those that readers of the offsets from `from` to below `to` have to know of from the content of a file.
 * @returns whether that is all of them: no later segment has any
 */
export function collectFromIndex(content: Buffer, from: number, to: number, into: AbortedTransaction[]): boolean {
  for (let at = firstAtOrAbove(content, from); at + TRANSACTION_ENTRY_SIZE <= content.length;) {
    const aborted = decodeEntry(content, at);
    if (aborted.firstOffset < to) into.push(aborted);
    if (aborted.lastStableOffset >= to) return true;
    at += TRANSACTION_ENTRY_SIZE;
  }
  return false;
}

/** Where the first entry begins whose marker stands at or above `offset`. */
function firstAtOrAbove(content: Buffer, offset: number): number {
  let low = 0;
  let high = Math.floor(content.length / TRANSACTION_ENTRY_SIZE);
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (readInt64(content, middle * TRANSACTION_ENTRY_SIZE + 18) >= offset) high = middle;
    else low = middle + 1;
  }
  return low * TRANSACTION_ENTRY_SIZE;
}

/** The content of a `.txnindex` file. */
export function encodeTransactionIndex(entries: readonly AbortedTransaction[]): Buffer {
  const content = Buffer.alloc(entries.length * TRANSACTION_ENTRY_SIZE);
  for (const [i, { producerId, firstOffset, lastOffset, lastStableOffset }] of entries.entries()) {
    const at = i * TRANSACTION_ENTRY_SIZE;
    content.writeInt16BE(VERSION, at);
    writeInt64(content, producerId, at + 2);
    writeInt64(content, firstOffset, at + 10);
    writeInt64(content, lastOffset, at + 18);
    writeInt64(content, lastStableOffset, at + 26);
  }
  return content;
}
