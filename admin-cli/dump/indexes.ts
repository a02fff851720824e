import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import * as batch from '../../shared/records/batch.ts';
import { readInt64 } from '../../shared/records/int64.ts';
import type { LineOutput } from '../support/line-output.ts';
import { ToolFailure } from '../support/tool.ts';
import type { DumpContext } from './context.ts';
import { LogFile, type LogBatch } from './log-batches.ts';

const OFFSET_ENTRY_BYTES = 8;
const TIME_ENTRY_BYTES = 12;
const TRANSACTION_ENTRY_BYTES = 34;

interface OffsetEntry {
  readonly offset: number;
  readonly position: number;
}

/** Dumps an `.index` and compares each entry with the batch that it points to. */
export async function dumpOffsetIndex(
  file: string,
  baseOffset: number,
  context: DumpContext,
  output: LineOutput,
): Promise<void> {
  const entries = offsetEntries(file, baseOffset);
  if (entries.length === 0) {
    output.line(`${file} is empty.`);
    return;
  }
  if (context.sanityOnly) {
    checkSanity(file, baseOffset, OFFSET_ENTRY_BYTES, entries.at(-1)!.offset);
    output.line(`${file} passed sanity check.`);
    return;
  }
  await withLog(file, context, async log => {
    for (const [index, { offset, position }] of entries.entries()) {
      // Zeros: space that was reserved, or that a crash left.
      if (offset === baseOffset && index > 0) return;
      const first = log.batches(position, context.maxMessageSize).next().value;
      const lastOffset = first === undefined ? -1 : batch.lastOffset(first.bytes, first.at);
      if (lastOffset !== offset) context.findings.indexMismatch(resolve(file), offset, lastOffset);
      if (!context.verifyOnly) output.line(`offset: ${offset} position: ${position}`);
      await output.settle();
    }
  });
}

/** Dumps a `.timeindex` and compares each entry with the batch that has its offset. */
export async function dumpTimeIndex(
  file: string,
  baseOffset: number,
  context: DumpContext,
  output: LineOutput,
): Promise<void> {
  const content = readFileSync(file);
  const count = Math.floor(content.length / TIME_ENTRY_BYTES);
  const entry = (index: number) => ({
    timestamp: readInt64(content, index * TIME_ENTRY_BYTES),
    offset: baseOffset + content.readInt32BE(index * TIME_ENTRY_BYTES + 8),
  });
  if (context.sanityOnly) {
    if (count > 0) checkSanity(file, baseOffset, TIME_ENTRY_BYTES, entry(count - 1).offset);
    output.line(`${file} passed sanity check.`);
    return;
  }
  const positions = offsetEntries(file.replace(/\.timeindex$/, '.index'), baseOffset);
  await withLog(file, context, async log => {
    let previous = -1;
    for (let index = 0; index < count; index++) {
      const { timestamp, offset } = entry(index);
      if (offset === baseOffset && index > 0) return;
      compareTime(resolve(file), { timestamp, offset, previous }, batchWith(log, positions, offset), context);
      if (!context.verifyOnly) output.line(`timestamp: ${timestamp} offset: ${offset}`);
      previous = timestamp;
      await output.settle();
    }
  });
}

function compareTime(
  file: string,
  { timestamp, offset, previous }: { timestamp: number; offset: number; previous: number },
  found: LogBatch | undefined,
  { findings }: DumpContext,
): void {
  const lastOffset = found === undefined ? -1 : batch.lastOffset(found.bytes, found.at);
  if (found === undefined || lastOffset !== offset) {
    findings.indexedOffsetMissing(file, offset, lastOffset);
    return;
  }
  const largest = batch.maxTimestamp(found.bytes, found.at);
  if (largest !== timestamp) findings.timeMismatch(file, timestamp, largest);
  if (previous >= timestamp) findings.timeOutOfOrder(file, timestamp, previous);
}

/** The first batch that ends at or behind `offset`. */
function batchWith(log: LogFile, positions: readonly OffsetEntry[], offset: number): LogBatch | undefined {
  const from = positions.findLast(entry => entry.offset <= offset)?.position ?? 0;
  for (const found of log.batches(from)) if (batch.lastOffset(found.bytes, found.at) >= offset) return found;
  return undefined;
}

/** Dumps a `.txnindex`: the aborted transactions of the segment. */
export function dumpTransactionIndex(file: string, output: LineOutput): void {
  const content = readFileSync(file);
  for (let at = 0; at + TRANSACTION_ENTRY_BYTES <= content.length; at += TRANSACTION_ENTRY_BYTES) {
    const [producerId, first, last, stable] = [2, 10, 18, 26].map(field =>
      content.readBigInt64BE(at + field).toString(),
    );
    output.line(
      `version: ${content.readInt16BE(at)} producerId: ${producerId!} firstOffset: ${first!} lastOffset: ${last!} lastStableOffset: ${stable!}`,
    );
  }
}

function offsetEntries(file: string, baseOffset: number): OffsetEntry[] {
  const content = readFileSync(file);
  const count = Math.floor(content.length / OFFSET_ENTRY_BYTES);
  return Array.from({ length: count }, (_, index) => ({
    offset: baseOffset + content.readInt32BE(index * OFFSET_ENTRY_BYTES),
    position: content.readInt32BE(index * OFFSET_ENTRY_BYTES + 4),
  }));
}

/** What a start checks before it trusts an index (Kafka: `AbstractIndex.sanityCheck`). @throws ToolFailure */
function checkSanity(file: string, baseOffset: number, entryBytes: number, lastOffset: number): void {
  const size = readFileSync(file).length;
  if (lastOffset < baseOffset) {
    throw new ToolFailure(
      `Corrupt index found, index file (${file}) has non-zero size but the last offset is ${lastOffset} which is less than the base offset ${baseOffset}.`,
    );
  }
  if (size % entryBytes !== 0) {
    throw new ToolFailure(
      `Corrupt index found, index file (${file}) has ${size} bytes, which is not a multiple of ${entryBytes}.`,
    );
  }
}

async function withLog(file: string, context: DumpContext, work: (log: LogFile) => Promise<void>): Promise<void> {
  const log = new LogFile(file.replace(/\.\w+$/, '.log'));
  try {
    await work(log);
  } finally {
    log.close();
  }
}
